// Kind `snat`: does inspection of endpoint traffic by an appliance need source NAT (ROUTE-44 to ROUTE-46)? A handshake
// of real frames through the appliance, once without and once with source NAT.

import { z } from 'zod';
import type { Behaviour } from '../../control/model/profile.ts';
import {
  TCP_ACK,
  TCP_SYN,
  buildFrame,
  formatIpv4,
  parseFrame,
  parseIpv4,
  parsePrefix,
  prefixContains,
  prefixLast,
} from '../../wire/index.ts';
import type { ParsedIpv4 } from '../../wire/index.ts';
import type { CaseOutcome } from '../compare.ts';
import { Fabric } from '../fabric.ts';
import { judgeExpect, topologyOf } from '../kind.ts';
import type { CaseInput, Kind } from '../kind.ts';
import { appliancesOf, networkOf } from '../network.ts';
import { parsePart } from '../notation.ts';
import type { RouteRow, Topology } from '../notation.ts';
import { addressOf, onPremisesVnet, parseParty, senderAttachment } from '../packets.ts';

const CLIENT_PORT = 50_000;
const GATEWAY_SUBNET = 'GatewaySubnet';

const fieldsSchema = z.strictObject({ client: z.string(), pe: z.string() });

export const snat: Kind = { run: runSnat, judge: judgeExpect() };

function runSnat(input: CaseInput): CaseOutcome {
  const { client, pe } = parsePart(fieldsSchema, input.fields, 'case');
  const topology = topologyOf(input);
  const [appliance, ...others] = appliancesOf(topology);
  if (appliance === undefined || others.length > 0) throw new Error('expected exactly one NIC with ipfwd');
  const routed = routedThrough(topology, client, pe, appliance);
  const connects = (isSnat: boolean) =>
    handshake(withAppliance(routed, appliance, isSnat), input.behaviour, client, pe, appliance);
  const plain = connects(false);
  // Without this check, any mistake on the way would look like a need for source NAT.
  const translated = connects(true);
  if (translated !== undefined) throw new Error(`the handshake fails with source NAT too: ${translated}`);
  return { snatNeeded: plain !== undefined };
}

function withAppliance(topology: Topology, appliance: string, isSnat: boolean): Topology {
  const nic = topology.nics[appliance];
  if (nic === undefined) throw new Error(`NIC ${appliance} is not in the topology`);
  return { ...topology, nics: { ...topology.nics, [appliance]: { ...nic, snat: isSnat, stateful: true } } };
}

/** The topology with the endpoint's /32 routed through the appliance where the client's packets are routed. */
function routedThrough(topology: Topology, client: string, pe: string, appliance: string): Topology {
  const endpoint = topology.pes[pe];
  const hop = topology.nics[appliance];
  if (endpoint === undefined || hop === undefined) throw new Error(`endpoint ${pe} is not in the topology`);
  const [placed, subnet] = clientSubnet(topology, client, pe);
  const place = placed.subnets[subnet];
  if (place === undefined) throw new Error(`subnet ${subnet} is not in the topology`);
  const prefix = `${endpoint.ip}/32`;
  const own = place.rt === undefined ? [] : (placed.rts[place.rt] ?? []);
  const row: RouteRow = [prefix, 'VirtualAppliance', hop.ip, 'inspect'];
  const table = `${subnet}-inspected`;
  return {
    ...placed,
    subnets: { ...placed.subnets, [subnet]: { ...place, rt: table } },
    rts: { ...placed.rts, [table]: [...own.filter(([other]) => other !== prefix), row] },
  };
}

/** The client's subnet; for an on-premises client the subnet of the gateway, which is added. */
function clientSubnet(topology: Topology, client: string, pe: string): [Topology, string] {
  const party = parseParty(client, topology);
  if (party.kind === 'nic') return [topology, topology.nics[party.name]?.subnet ?? ''];
  if (party.kind !== 'onprem') throw new Error(`client not understood: ${client}`);
  const vnet = onPremisesVnet({ kind: 'endpoint', name: pe }, topology);
  const gateway = Object.entries(topology.subnets).find(
    ([name, each]) => each.vnet === vnet && name === GATEWAY_SUBNET,
  );
  if (gateway !== undefined) return [topology, gateway[0]];
  const cidr = freeGatewayRange(topology, vnet);
  const subnet = { vnet, cidr, nsg: undefined, rt: undefined, disableBgp: false };
  return [{ ...topology, subnets: { ...topology.subnets, [GATEWAY_SUBNET]: subnet } }, GATEWAY_SUBNET];
}

/** The last /27 of a network that no subnet uses. */
function freeGatewayRange(topology: Topology, vnet: string): string {
  const SIZE = 32;
  const subnets = Object.values(topology.subnets).filter((subnet) => subnet.vnet === vnet);
  const taken = subnets.map((subnet) => parsePrefix(subnet.cidr));
  for (const text of topology.vnets[vnet] ?? []) {
    const range = parsePrefix(text);
    for (let first = prefixLast(range) - SIZE + 1; first >= range.address; first -= SIZE) {
      const isFree = !taken.some((prefix) => prefixContains(prefix, first) || prefixContains(prefix, first + SIZE - 1));
      if (isFree) return `${formatIpv4(first)}/27`;
    }
  }
  throw new Error(`network ${vnet} has no room for a ${GATEWAY_SUBNET}`);
}

/** SYN, SYN/ACK, ACK between client and service. Undefined when all arrive, else which one did not. */
function handshake(
  topology: Topology,
  behaviour: Behaviour,
  client: string,
  pe: string,
  appliance: string,
): string | undefined {
  const fabric = new Fabric(networkOf(topology, behaviour), behaviour, { appliances: [appliance] });
  const party = parseParty(client, topology);
  const endpoint = { kind: 'endpoint', name: pe } as const;
  const here = senderAttachment(party, endpoint, topology);
  const service = `provider:${pe}`;
  const port = servedPort(topology, pe);
  const toEndpoint = {
    src: parseIpv4(addressOf(party, topology)),
    dst: parseIpv4(addressOf(endpoint, topology)),
    srcPort: CLIENT_PORT,
    dstPort: port,
  };
  const syn = exchange(fabric, here, service, segment(toEndpoint, TCP_SYN, 1, 0), appliance);
  if (typeof syn === 'string') return `SYN: ${syn}`;
  const back = { src: syn.dst, dst: syn.src, srcPort: port, dstPort: syn.tcp?.srcPort ?? CLIENT_PORT };
  const synAck = exchange(fabric, service, here, segment(back, TCP_SYN | TCP_ACK, 1, 2), undefined);
  if (typeof synAck === 'string') return `SYN/ACK: ${synAck}`;
  if (synAck.src !== toEndpoint.dst || synAck.tcp?.dstPort !== CLIENT_PORT) return 'SYN/ACK: not from the endpoint';
  const ack = exchange(fabric, here, service, segment(toEndpoint, TCP_ACK, 2, 2), appliance);
  return typeof ack === 'string' ? `ACK: ${ack}` : undefined;
}

interface Segment {
  readonly src: number;
  readonly dst: number;
  readonly srcPort: number;
  readonly dstPort: number;
}

function segment({ src, dst, srcPort, dstPort }: Segment, flags: number, seq: number, ack: number): Uint8Array {
  return buildFrame({ src, dst, tcp: { srcPort, dstPort, flags, seq, ack } });
}

/** The segment as it arrives at the other side, by way of the appliance if one is named; else why it does not. */
function exchange(
  fabric: Fabric,
  from: string,
  to: string,
  frame: Uint8Array,
  via: string | undefined,
): ParsedIpv4 | string {
  const { passes, guestDrop } = fabric.send(from, frame);
  const last = passes.at(-1);
  if (last === undefined || last.egress !== fabric.attachment(to) || last.after === undefined) {
    return guestDrop ?? `ended as ${last?.outcome ?? 'nothing'}`;
  }
  const isInspected = via === undefined || passes.some((pass) => pass.egress === fabric.attachment(via));
  if (!isInspected) throw new Error(`a packet from ${from} to ${to} did not cross ${via}`);
  const parsed = parseFrame(last.after);
  return parsed.kind === 'ipv4' ? parsed : `arrived as ${parsed.kind}`;
}

function servedPort(topology: Topology, pe: string): number {
  const [first] = topology.pes[pe]?.ports ?? [];
  const port = Number.parseInt(first ?? '', 10);
  if (!(port >= 0)) throw new Error(`endpoint ${pe} serves no port`);
  return port;
}
