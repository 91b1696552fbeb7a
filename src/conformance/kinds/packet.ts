// Kind `packet`: one first packet along its whole path, with the switches that narrow what counts.

import { z } from 'zod';
import type { RouteInfo } from '../../control/compile/compiled.ts';
import type { CaseOutcome } from '../compare.ts';
import { Fabric } from '../fabric.ts';
import { judgeExpect, topologyOf } from '../kind.ts';
import type { CaseInput, Kind } from '../kind.ts';
import { appliancesOf, networkOf } from '../network.ts';
import { parsePart } from '../notation.ts';
import type { Topology } from '../notation.ts';
import { addressOf, packetSchema, parseParty, planPacket } from '../packets.ts';
import type { PacketNotation } from '../packets.ts';
import { PACKET_COMPARATORS, switchedOutcome, traceOfPass } from '../verdict.ts';

const fieldsSchema = z.strictObject({
  packet: packetSchema,
  nsgOnly: z.boolean().default(false),
  routeOnly: z.boolean().default(false),
  firstHopOnly: z.boolean().default(false),
});

export const packet: Kind = { run: runPacket, judge: judgeExpect(PACKET_COMPARATORS) };

function runPacket(input: CaseInput): CaseOutcome {
  const topology = topologyOf(input);
  const fields = parsePart(fieldsSchema, input.fields, 'case');
  if (fields.routeOnly) return routeOutcome(fields.packet, withoutRules(topology), input);
  const fabric = new Fabric(networkOf(topology, input.behaviour), input.behaviour, {
    appliances: appliancesOf(topology),
  });
  const { attachment, frame } = planPacket(fields.packet, topology);
  return switchedOutcome(fabric.send(attachment, frame), topology, fields);
}

// Rules come before routes (PIPE-1): where only the route counts, there are none.
function withoutRules(topology: Topology): Topology {
  const without = <T extends object>(entries: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(entries).map(([name, entry]) => [name, { ...entry, nsg: undefined }]));
  return { ...topology, subnets: without(topology.subnets), nics: without(topology.nics) };
}

/** What the sender's route says, whatever would become of the packet after it. */
function routeOutcome(packet: PacketNotation, topology: Topology, { behaviour }: CaseInput): CaseOutcome {
  const fabric = new Fabric(networkOf(topology, behaviour), behaviour);
  const { attachment, frame } = planPacket(packet, topology);
  const pass = fabric.send(attachment, frame).passes[0];
  if (pass === undefined) throw new Error('the packet never entered the fabric');
  const route = traceOfPass(pass).steps.find((step) => step.route !== undefined)?.route;
  if (route === undefined) throw new Error('no route was looked up for this packet');
  const isDropped = route.nextHopType === 'None';
  return {
    verdict: isDropped ? 'drop' : 'deliver',
    to: isDropped ? undefined : routeTarget(route, packet, topology),
    at: isDropped ? `${packet.from}:route` : undefined,
    reason: isDropped ? 'RouteNone' : undefined,
    route: [route.prefix, route.source, route.nextHopType],
  };
}

/** Who a route leads to, in the words of the notation. */
function routeTarget(route: RouteInfo, packet: PacketNotation, topology: Topology): string | undefined {
  switch (route.nextHopType) {
    case 'Internet':
      return 'internet';
    case 'VirtualNetworkGateway':
      return 'onprem';
    case 'VirtualNetworkServiceEndpoint':
      return 'service';
    case 'VirtualAppliance':
      return ownerOf(route.nextHopIpAddress, topology);
    case 'None':
      return undefined;
    default:
      return ownerOf(addressOf(parseParty(packet.to, topology), topology), topology);
  }
}

function ownerOf(address: string | undefined, topology: Topology): string | undefined {
  const holders = { ...topology.pes, ...topology.nics };
  return Object.keys(holders).find((name) => holders[name]?.ip === address);
}
