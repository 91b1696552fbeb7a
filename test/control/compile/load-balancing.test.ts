// Load balancers and Private Link services as tables: what the program says about them, its clocks, generations and
// invariants, and the budget of a service.

import { describe, expect, test } from 'vitest';
import { checkProgram } from '../../../src/abi/program-check.ts';
import { MEMBER, OUTBOUND, OWNER, type Program } from '../../../src/abi/program.ts';
import { compileNetwork, createRegistry } from '../../../src/control/compile/compile.ts';
import type { Compiled } from '../../../src/control/compile/compiled.ts';
import { behaviourOf } from '../../../src/control/model/profile.ts';
import { serviceBudget } from '../../../src/control/private-link/budget.ts';
import { parseIpv4 } from '../../../src/wire/index.ts';
import { balancedNetwork, type BalancedWords } from '../../dataplane/balanced-networks.ts';
import { id } from './networks.ts';

const WORDS: BalancedWords = {
  vnets: { c: ['10.0.0.0/16'], p: ['10.0.0.0/16'], far: ['10.9.0.0/16'] },
  subnets: {
    clients: { vnet: 'c', cidr: '10.0.0.0/24' },
    backends: { vnet: 'p', cidr: '10.0.0.0/24' },
    other: { vnet: 'far', cidr: '10.9.0.0/24' },
  },
  nics: {
    client: { subnet: 'clients', ip: '10.0.0.4' },
    stranger: { subnet: 'other', ip: '10.9.0.4' },
    m1: { subnet: 'backends', ip: '10.0.0.4' },
    m2: { subnet: 'backends', ip: '10.0.0.5' },
  },
  pes: { pe: { subnet: 'clients', ip: '10.0.0.9', ports: [] } },
  balancers: {
    lb: {
      subnet: 'backends',
      frontend: '10.0.0.100',
      members: ['m1', 'm2'],
      rules: [
        { protocol: 'All', frontendPort: 0, backendPort: 0 },
        { frontendPort: 443, idleTimeoutInMinutes: 10 },
      ],
    },
  },
  services: { svc: { balancer: 'lb', subnet: 'backends', nat: ['10.0.0.200', '10.0.0.201'], endpoints: ['pe'] } },
};

const registry = createRegistry();
function compile(words: BalancedWords, previous?: Compiled): Compiled {
  const epoch = (previous?.program.epoch ?? 0) + 1;
  return compileNetwork(balancedNetwork(words), behaviourOf(), { epoch, registry, ...(previous && { previous }) });
}

describe('the tables', () => {
  const { program, sideTable } = compile(WORDS);

  test('have rules for one port before those for all (LB-7), each with a clock of its own (LB-5)', () => {
    expect([...program.balanceRules.frontendPort]).toEqual([443, 0]);
    expect(sideTable.balanceRules.map(({ rule }) => rule)).toEqual(['rule1', 'rule0']);
    const clocks = [...program.balanceRules.clock];
    expect(clocks.map((clock) => program.natPools.idleMs[clock])).toEqual([600_000, 240_000]);
    expect(clocks.map((clock) => program.natPools.kind[clock])).toEqual([OUTBOUND.balanceRule, OUTBOUND.balanceRule]);
  });

  test('give frontends and NAT addresses their owners, and endpoints their service with 300 s (PLS-8, PLS-11)', () => {
    const owner = (ip: string): number => program.owners.kind[[...program.owners.address].indexOf(parseIpv4(ip) | 0)]!;
    expect([owner('10.0.0.100'), owner('10.0.0.201')]).toEqual([OWNER.frontend, OWNER.serviceNat]);
    expect([...program.endpoints.service]).toEqual([0]);
    expect(program.natPools.idleMs[program.privateLinkServices.natPool[0]!]).toBe(300_000);
    expect(sideTable.endpoints[0]).toMatchObject({ service: 'svc', target: 'svc' });
  });

  test('say what the probe of a rule says, unless an administrator overrules it (LB-4, LB-8)', () => {
    const down = ['lb/m1/10.0.0.4', 'lb/m2/10.0.0.5'];
    const lb = { ...WORDS.balancers!['lb']!, admin: { m2: 'Up' as const } };
    const { pools } = compile({ ...WORDS, balancers: { lb }, down }).program;
    expect([...pools.state]).toEqual([MEMBER.down, MEMBER.adminUp, MEMBER.down, MEMBER.adminUp]);
  });
});

test('health changes what members, their neighbours and consumers of a service have cached, and nobody else', () => {
  const before = compile(WORDS);
  const after = compile({ ...WORDS, down: ['lb/m1/10.0.0.4'] }, before);
  const changed = after.sideTable.attachments
    .filter((info) => info?.kind === 'nic')
    .filter((info) => {
      const { generation } = after.program.attachments;
      return generation[info!.attachment] !== before.program.attachments.generation[info!.attachment];
    })
    .map((info) => info!.name);
  expect(changed.toSorted()).toEqual(['client', 'm1', 'm2']);
});

test('a rule keeps its clock when another one goes: connections remember the number', () => {
  const before = compile(WORDS);
  const lb = { ...WORDS.balancers!['lb']!, rules: WORDS.balancers!['lb']!.rules.slice(0, 1) };
  const after = compile({ ...WORDS, balancers: { lb } }, before);
  expect(after.program.balanceRules.clock[0]).toBe(before.program.balanceRules.clock[1]);
});

test('the budget of a service is 64 K per NAT address and backend (PLS-10)', () => {
  const network = balancedNetwork(WORDS);
  expect(serviceBudget(network, id('privateLinkServices', 'SVC'))).toBe(2 * 2 * 65_536);
  expect(serviceBudget(network, id('privateLinkServices', 'none'))).toBe(0);
});

describe('a damaged program', () => {
  const { program } = compile(WORDS);
  test.each<[string, Partial<Program>]>([
    ['balanceRules.pool', { balanceRules: { ...program.balanceRules, pool: Int32Array.of(0, 9) } }],
    ['balanceRules.clock', { balanceRules: { ...program.balanceRules, clock: Int32Array.of(-1, 0) } }],
    ['pools.state', { pools: { ...program.pools, state: Int32Array.of(0, 0, 0, 4) } }],
    ['pools.memberStart', { pools: { ...program.pools, memberStart: Int32Array.of(0, 3, 2) } }],
    ['frontends.ruleStart', { frontends: { ...program.frontends, ruleStart: Int32Array.of(0, 1) } }],
    ['frontends.vnet', { frontends: { ...program.frontends, vnet: Int32Array.of(7) } }],
    [
      'privateLinkServices.natPool',
      { privateLinkServices: { ...program.privateLinkServices, natPool: Int32Array.of(-1) } },
    ],
    ['endpoints.service', { endpoints: { ...program.endpoints, service: Int32Array.of(1) } }],
    ['hashSeed', { hashSeed: 0.5 }],
  ])('is refused: %s', (column, part) => {
    expect(() => checkProgram(program)).not.toThrow();
    expect(() => checkProgram({ ...program, ...part })).toThrow(column);
  });
});
