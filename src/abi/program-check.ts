// The invariants of a program, checked before a push and again after it (pair assertion). A worker that loaded a
// checked program needs no further range checks on indices.

import {
  ATTACHMENT,
  DISTRIBUTION,
  ENDPOINT_STATE,
  MEMBER,
  NEXT_HOP,
  OUTBOUND,
  PROGRAM_VERSION,
  ProgramError,
  type Program,
  type RuleSetProgram,
} from './program.ts';
import { checkRuleTable } from './rule-table.ts';

/** Throws ProgramError naming the first broken invariant. */
export function checkProgram(program: Program): void {
  try {
    checkTables(program);
  } catch (error) {
    // A column or table that is missing altogether: the checks read it as if it were there.
    if (error instanceof TypeError) throw new ProgramError(`program: its shape is wrong (${error.message})`);
    throw error;
  }
}

function checkTables(program: Program): void {
  if (typeof program !== 'object' || program === null) fail('it is not an object');
  if (program.version !== PROGRAM_VERSION) fail(`version is ${program.version}, expected ${PROGRAM_VERSION}`);
  if (!Number.isInteger(program.epoch) || program.epoch < 1) fail(`epoch is ${program.epoch}, expected 1 or more`);
  for (const table of TABLES) {
    if (typeof program[table] !== 'object' || program[table] === null) fail(`${table} is missing`);
  }
  if (!Array.isArray(program.routeTables) || !Array.isArray(program.ruleSets)) fail('a list of tables is not a list');
  checkAttachments(program);
  checkOwners(program);
  checkVnets(program);
  checkRoutes(program);
  program.ruleSets.forEach((set, index) => checkRuleSet(set, index, program.ruleCount));
  checkEndpoints(program);
  checkAddresses(program);
  checkBalancing(program);
}

const TABLES = [
  'attachments',
  'owners',
  'vnets',
  'routes',
  'routeTables',
  'ruleSets',
  'endpoints',
  'publicIps',
  'natPools',
  'frontends',
  'balanceRules',
  'pools',
  'privateLinkServices',
] as const;

function fail(what: string): never {
  throw new ProgramError(`program: ${what}`);
}

function sameLength(table: Readonly<Record<string, unknown>>, name: string, columns: readonly string[]): number {
  let length = -1;
  for (const column of columns) {
    const values = table[column];
    if (!(values instanceof Int32Array)) fail(`${name}.${column} is not a column`);
    if (length >= 0 && values.length !== length)
      fail(`${name}.${column} has ${values.length} rows, expected ${length}`);
    length = values.length;
  }
  return length;
}

function checkColumn(values: Int32Array, name: string): void {
  if (!(values instanceof Int32Array)) fail(`${name} is not a column`);
}

function inRange(values: Int32Array, low: number, high: number, name: string): void {
  for (let i = 0; i < values.length; i++) {
    if (values[i] < low || values[i] >= high) fail(`${name}[${i}] is ${values[i]}, expected ${low} to ${high - 1}`);
  }
}

function checkAttachments(program: Program): void {
  const table = program.attachments;
  const count = sameLength(table as unknown as Record<string, unknown>, 'attachments', [
    'kind',
    'flags',
    'vnet',
    'routeTable',
    'macHigh',
    'macLow',
    'address',
    'outNicRules',
    'outSubnetRules',
    'inSubnetRules',
    'inNicRules',
    'outAdminRules',
    'inAdminRules',
    'platformNicRules',
    'platformSubnetRules',
    'outbound',
    'outboundIndex',
    'idleMs',
    'generation',
    'flushGeneration',
    'mtu',
  ]);
  inRange(table.kind, 0, ATTACHMENT.service + 1, 'attachments.kind');
  inRange(table.vnet, -1, program.vnets.count, 'attachments.vnet');
  inRange(table.routeTable, -1, program.routeTables.length, 'attachments.routeTable');
  const sets = program.ruleSets.length;
  inRange(table.outNicRules, -1, sets, 'attachments.outNicRules');
  inRange(table.outSubnetRules, -1, sets, 'attachments.outSubnetRules');
  inRange(table.inSubnetRules, -1, sets, 'attachments.inSubnetRules');
  inRange(table.inNicRules, -1, sets, 'attachments.inNicRules');
  inRange(table.outAdminRules, -1, sets, 'attachments.outAdminRules');
  inRange(table.inAdminRules, -1, sets, 'attachments.inAdminRules');
  inRange(table.platformNicRules, -1, sets, 'attachments.platformNicRules');
  inRange(table.platformSubnetRules, -1, sets, 'attachments.platformSubnetRules');
  inRange(table.outbound, 0, OUTBOUND.balancer + 1, 'attachments.outbound');
  for (let a = 0; a < count; a++) {
    const rows = table.outbound[a] === OUTBOUND.publicIp ? program.publicIps.address.length : natPools(program);
    const least = table.outbound[a] === OUTBOUND.none ? -1 : 0;
    if (table.outboundIndex[a] < least || table.outboundIndex[a] >= Math.max(rows, 0)) {
      if (table.outbound[a] !== OUTBOUND.none) fail(`attachments.outboundIndex[${a}] is ${table.outboundIndex[a]}`);
    }
  }
  for (const [name, id] of [
    ['internet', program.internet],
    ['platform', program.platform],
    ['service', program.service],
  ] as const) {
    if (!Number.isInteger(id) || id < 0 || id >= count) fail(`${name} is ${id}, not an attachment`);
    if (table.kind[id] !== ATTACHMENT[name]) fail(`attachment ${id} is not of kind ${name}`);
  }
}

function natPools(program: Program): number {
  return program.natPools.kind.length;
}

function checkOwners(program: Program): void {
  const { owners } = program;
  sameLength(owners as unknown as Record<string, unknown>, 'owners', ['vnet', 'address', 'kind', 'ref']);
  inRange(owners.vnet, 0, program.vnets.count, 'owners.vnet');
  for (let i = 0; i < owners.ref.length; i++) {
    const limit = ownerRows(program, owners.kind[i]);
    if (owners.ref[i] < 0 || owners.ref[i] >= limit) fail(`owners.ref[${i}] is ${owners.ref[i]}`);
  }
}

function ownerRows(program: Program, kind: number): number {
  const { attachments, endpoints, frontends, privateLinkServices } = program;
  return [attachments.kind, endpoints.address, frontends.address, privateLinkServices.vnet][kind]?.length ?? 0;
}

function checkVnets(program: Program): void {
  const { vnets } = program;
  const table = vnets as unknown as Record<string, unknown>;
  sameLength(table, 'vnets', ['rangeVnet', 'rangeFirst', 'rangeLast']);
  sameLength(table, 'vnets', ['peerFrom', 'peerTo', 'peerForwarded']);
  sameLength(table, 'vnets', ['dnsVnet', 'dnsAddress']);
  checkColumn(vnets.onPremises, 'vnets.onPremises');
  if (!Number.isInteger(vnets.count) || vnets.count < 0) fail(`vnets.count is ${vnets.count}`);
  if (vnets.onPremises.length !== vnets.count) fail('vnets.onPremises does not have a row per network');
  inRange(vnets.onPremises, 0, program.attachments.kind.length, 'vnets.onPremises');
  inRange(vnets.rangeVnet, 0, vnets.count, 'vnets.rangeVnet');
  inRange(vnets.peerFrom, 0, vnets.count, 'vnets.peerFrom');
  inRange(vnets.peerTo, 0, vnets.count, 'vnets.peerTo');
}

function checkRoutes(program: Program): void {
  const rows = sameLength(program.routes as unknown as Record<string, unknown>, 'routes', ['nextHop', 'target']);
  inRange(program.routes.nextHop, 0, NEXT_HOP.InterfaceEndpoint + 1, 'routes.nextHop');
  const attachments = program.attachments.kind.length;
  for (let i = 0; i < rows; i++) {
    const hop = program.routes.nextHop[i];
    const target = program.routes.target[i];
    let limit = attachments;
    if (hop === NEXT_HOP.InterfaceEndpoint) limit = program.endpoints.address.length;
    if (hop === NEXT_HOP.VnetLocal || hop === NEXT_HOP.VNetPeering || hop === NEXT_HOP.VNetGlobalPeering) {
      limit = program.vnets.count;
    }
    const least = hop === NEXT_HOP.VirtualAppliance ? -1 - program.frontends.address.length : -1;
    if (target < least || target >= limit) fail(`routes.target[${i}] is ${target} for next hop ${hop}`);
  }
  program.routeTables.forEach((table, index) => {
    checkTrie(table.trie, rows, `routeTables[${index}].trie`, true);
    checkTrie(table.trieWithoutServiceEndpoints, rows, `routeTables[${index}].trieWithoutServiceEndpoints`, false);
  });
}

function checkTrie(trie: Int32Array, rows: number, name: string, required: boolean): void {
  if (trie.length % 256 !== 0 || (required && trie.length === 0)) fail(`${name} is not made of 256-entry nodes`);
  const nodes = trie.length / 256;
  for (let i = 0; i < trie.length; i++) {
    if (trie[i] > rows) fail(`${name}[${i}] is route ${trie[i] - 1} of ${rows}`);
    // A child always stands behind its parent: a walk ends.
    if (trie[i] < 0 && (-trie[i] >= nodes || -trie[i] <= i >> 8)) fail(`${name}[${i}] is node ${-trie[i]} of ${nodes}`);
  }
}

function checkRuleSet(set: RuleSetProgram, index: number, rules: number): void {
  const name = `ruleSets[${index}]`;
  const count = sameLength(set as unknown as Record<string, unknown>, name, ['access', 'ruleIndex']);
  inRange(set.ruleIndex, 0, rules, `${name}.ruleIndex`);
  checkColumn(set.table, `${name}.table`);
  checkRuleTable(set.table, count);
}

function checkEndpoints(program: Program): void {
  const { endpoints } = program;
  const count = sameLength(endpoints as unknown as Record<string, unknown>, 'endpoints', [
    'vnet',
    'address',
    'state',
    'flags',
    'provider',
    'backendAddress',
    'rules',
    'idleMs',
    'service',
    'linkId',
  ]);
  inRange(endpoints.vnet, 0, program.vnets.count, 'endpoints.vnet');
  inRange(endpoints.state, 0, ENDPOINT_STATE.Disconnected + 1, 'endpoints.state');
  inRange(endpoints.provider, 0, program.attachments.kind.length, 'endpoints.provider');
  inRange(endpoints.rules, -1, program.ruleSets.length, 'endpoints.rules');
  inRange(endpoints.service, -1, program.privateLinkServices.vnet.length, 'endpoints.service');
  checkColumn(endpoints.portFirst, 'endpoints.portFirst');
  checkColumn(endpoints.portLast, 'endpoints.portLast');
  checkStarts(endpoints.portStart, count, endpoints.portFirst.length, 'endpoints.portStart');
  if (endpoints.portFirst.length !== endpoints.portLast.length) fail('endpoints.portFirst and portLast differ');
}

function checkAddresses(program: Program): void {
  const { publicIps, natPools: pools } = program;
  sameLength(publicIps as unknown as Record<string, unknown>, 'publicIps', [
    'address',
    'attachment',
    'privateAddress',
    'standard',
    'frontend',
  ]);
  inRange(publicIps.attachment, -1, program.attachments.kind.length, 'publicIps.attachment');
  inRange(publicIps.frontend, -1, program.frontends.address.length, 'publicIps.frontend');
  const count = sameLength(pools as unknown as Record<string, unknown>, 'natPools', ['kind', 'idleMs']);
  inRange(pools.kind, OUTBOUND.natGateway, OUTBOUND.balanceRule + 1, 'natPools.kind');
  checkColumn(pools.address, 'natPools.address');
  checkStarts(pools.addressStart, count, pools.address.length, 'natPools.addressStart');
}

function checkBalancing(program: Program): void {
  const { frontends, balanceRules, pools, privateLinkServices: services } = program;
  const columns = (table: object): Record<string, unknown> => table as Record<string, unknown>;
  const frontendCount = sameLength(columns(frontends), 'frontends', ['vnet', 'address', 'flags']);
  inRange(frontends.vnet, -1, program.vnets.count, 'frontends.vnet');
  const rules = sameLength(columns(balanceRules), 'balanceRules', [
    'protocol',
    'frontendPort',
    'backendPort',
    'pool',
    'distribution',
    'flags',
    'clock',
  ]);
  checkStarts(frontends.ruleStart, frontendCount, rules, 'frontends.ruleStart');
  inRange(balanceRules.protocol, 0, 256, 'balanceRules.protocol');
  inRange(balanceRules.frontendPort, 0, 65_536, 'balanceRules.frontendPort');
  inRange(balanceRules.backendPort, 0, 65_536, 'balanceRules.backendPort');
  inRange(balanceRules.distribution, 0, DISTRIBUTION.sourceIpProtocol + 1, 'balanceRules.distribution');
  inRange(balanceRules.clock, 0, natPools(program), 'balanceRules.clock');
  checkColumn(pools.memberStart, 'pools.memberStart');
  const members = sameLength(columns(pools), 'pools', ['attachment', 'address', 'state']);
  const poolCount = pools.memberStart.length - 1;
  checkStarts(pools.memberStart, poolCount, members, 'pools.memberStart');
  inRange(balanceRules.pool, 0, poolCount, 'balanceRules.pool');
  inRange(pools.attachment, 0, program.attachments.kind.length, 'pools.attachment');
  inRange(pools.state, 0, MEMBER.adminDown + 1, 'pools.state');
  const count = sameLength(columns(services), 'privateLinkServices', ['vnet', 'natPool', 'flags']);
  inRange(services.vnet, 0, program.vnets.count, 'privateLinkServices.vnet');
  inRange(services.natPool, 0, natPools(program), 'privateLinkServices.natPool');
  checkColumn(services.frontend, 'privateLinkServices.frontend');
  checkStarts(services.frontendStart, count, services.frontend.length, 'privateLinkServices.frontendStart');
  inRange(services.frontend, 0, frontendCount, 'privateLinkServices.frontend');
  if (!Number.isInteger(program.hashSeed)) fail(`hashSeed is ${program.hashSeed}`);
}

function checkStarts(starts: Int32Array, count: number, total: number, name: string): void {
  checkColumn(starts, name);
  if (starts.length !== count + 1 || starts[0] !== 0 || starts[count] !== total) fail(`${name} does not span its rows`);
  for (let i = 0; i < count; i++) if (starts[i + 1] < starts[i]) fail(`${name} is not ascending at ${i + 1}`);
}
