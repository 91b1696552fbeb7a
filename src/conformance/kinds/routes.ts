// Kind `routes`: the effective routes of a subnet, or the selection among given routes.

import { z } from 'zod';
import { effectiveRoutes, selectRoute } from '../../control/compile/effective-routes.ts';
import { NEXT_HOP } from '../../abi/program.ts';
import type { NextHopType } from '../../abi/program.ts';
import type { RouteInfo, RouteSource } from '../../control/compile/compiled.ts';
import { parseIpv4 } from '../../wire/index.ts';
import { sameText } from '../compare.ts';
import type { CaseOutcome, Comparator } from '../compare.ts';
import { judgeExpect, topologyOf } from '../kind.ts';
import type { CaseInput, Kind } from '../kind.ts';
import { isMapping } from '../merge.ts';
import { networkOf } from '../network.ts';
import { parsePart } from '../notation.ts';
import { subnetId } from '../resources.ts';

const tableSchema = z.strictObject({ subnet: z.string() });
const givenSchema = z.strictObject({ routesGiven: z.array(z.tuple([z.string(), z.string(), z.string()])) });

/** `rows` is a subset in any order; type names differ in case between Azure's surfaces (ROUTE-48). */
const includesRows: Comparator = (expected, got) =>
  Array.isArray(expected) &&
  Array.isArray(got) &&
  expected.every((row) => got.some((candidate) => sameText(row, candidate)));

const hasNone: Comparator = (absent, prefixes) =>
  Array.isArray(absent) && Array.isArray(prefixes) && !absent.some((prefix) => prefixes.includes(prefix));

export const routes: Kind = {
  questions: askedAddresses,
  run: runRoutes,
  judge: judgeExpect({ rows: includesRows, absent: hasNone }),
};

interface AskedAddresses {
  readonly lookups: readonly string[];
  readonly lookupSource: readonly string[];
}

/** The addresses that the expectation asks about; the routes expected for them stay behind. */
function askedAddresses(expected: unknown): AskedAddresses {
  const keysOf = (field: string) => {
    const value = isMapping(expected) ? expected[field] : undefined;
    return isMapping(value) ? Object.keys(value) : [];
  };
  return { lookups: keysOf('lookups'), lookupSource: keysOf('lookupSource') };
}

function runRoutes(input: CaseInput): CaseOutcome {
  if (input.fields['routesGiven'] !== undefined) return selectionOutcome(input);
  const topology = topologyOf(input);
  const { subnet } = parsePart(tableSchema, input.fields, 'case');
  const place = topology.subnets[subnet];
  if (place === undefined) throw new Error(`subnet ${subnet} is not in the topology`);
  const network = networkOf(topology, input.behaviour);
  const table = effectiveRoutes(network, input.behaviour, subnetId(place.vnet, subnet));
  return {
    rows: table.map((route) => [route.source, route.state, route.prefix, route.nextHopType]),
    absent: table.map((route) => route.prefix),
  };
}

function selectionOutcome({ fields, questions }: CaseInput): CaseOutcome {
  const given = parsePart(givenSchema, fields, 'case').routesGiven.map(givenRoute);
  const asked = questions as AskedAddresses;
  const select = (address: string) => selectRoute(given, parseIpv4(address), { tcp: true });
  return {
    lookups: Object.fromEntries(asked.lookups.map((address) => [address, select(address)?.prefix])),
    lookupSource: Object.fromEntries(asked.lookupSource.map((address) => [address, select(address)?.source])),
  };
}

const SOURCES: readonly RouteSource[] = ['Default', 'User', 'VirtualNetworkGateway'];

function givenRoute([prefix, sourceText, nextHopText]: readonly [string, string, string]): RouteInfo {
  const source = SOURCES.find((name) => sameText(name, sourceText));
  const nextHopType = (Object.keys(NEXT_HOP) as NextHopType[]).find((name) => sameText(name, nextHopText));
  if (source === undefined) throw new Error(`route source not understood: ${sourceText}`);
  if (nextHopType === undefined) throw new Error(`next-hop type not understood: ${nextHopText}`);
  return { name: null, source, state: 'Active', prefix, nextHopType };
}
