// Generations: which attachments' cached paths go stale when the network changes. Two islands: a and b are peered and
// hold an endpoint; far stands alone.

import { describe, expect, it } from 'vitest';
import { compileNetwork, createRegistry, type TapSelection } from '../../../src/control/compile/compile.ts';
import type { Compiled } from '../../../src/control/compile/compiled.ts';
import { behaviour, networkOf, type Words } from './networks.ts';

const islands: Words = {
  vnets: { a: ['10.0.0.0/16'], b: ['10.1.0.0/16'], far: ['10.0.0.0/16'] },
  peers: [['a', 'b', {}]],
  subnets: {
    as: { vnet: 'a', cidr: '10.0.0.0/24', nsg: 'asg', rt: 'rt' },
    bs: { vnet: 'b', cidr: '10.1.0.0/24' },
    pes: { vnet: 'b', cidr: '10.1.1.0/24', nsg: 'peg', pePolicy: 'Enabled' },
    fs: { vnet: 'far', cidr: '10.0.0.0/24' },
  },
  nics: {
    a1: { subnet: 'as', ip: '10.0.0.4', nsg: 'nicg' },
    b1: { subnet: 'bs', ip: '10.1.0.4' },
    far1: { subnet: 'fs', ip: '10.0.0.4', nsg: 'farg' },
  },
  nsgs: { asg: [], nicg: [], peg: [], farg: [] },
  rts: { rt: [] },
  pes: { pe: { subnet: 'pes', ip: '10.1.1.5', ports: ['1433'] } },
};

/** What a change does: names whose generation and flushGeneration rose. */
function change(before: Words, after: Words, taps: TapSelection = 'none'): { stale: string[]; flushed: string[] } {
  const registry = createRegistry();
  const first = compileNetwork(networkOf(before), behaviour(), { epoch: 1, registry });
  const second = compileNetwork(networkOf(after), behaviour(), { epoch: 2, registry, previous: first, taps });
  return { stale: risen(first, second, 'generation'), flushed: risen(first, second, 'flushGeneration') };
}

function risen(first: Compiled, second: Compiled, column: 'generation' | 'flushGeneration'): string[] {
  return first.sideTable.attachments
    .filter((info) => {
      const [was, is] = [first, second].map((compiled) => compiled.program.attachments[column][info!.attachment]);
      expect(is).toBeGreaterThanOrEqual(was);
      return is > was;
    })
    .map((info) => info!.name);
}

const everybody = ['internet', 'platform', 'service', 'a1', 'b1', 'far1', 'pe', 'onprem:a', 'onprem:b', 'onprem:far'];
const exits = ['internet', 'platform', 'service', 'pe'];
const island = ['internet', 'platform', 'service', 'a1', 'b1', 'pe', 'onprem:a', 'onprem:b'];
const denyAll = [100, 'In', '*', '*', '*', '*', '*', 'Deny', 'DenyAll'] as const;

describe('generations', () => {
  it('start at 1 and stay when nothing changes', () => {
    const { program } = compileNetwork(networkOf(islands), behaviour(), { epoch: 1, registry: createRegistry() });
    expect(new Set(program.attachments.generation)).toEqual(new Set([1]));
    expect(change(islands, islands)).toEqual({ stale: [], flushed: [] });
  });

  it.each(['asg', 'nicg', 'peg'])('stay when rules of %s change (NSG-28, PNSG-7)', (group) => {
    const after = { ...islands, nsgs: { ...islands.nsgs, [group]: [denyAll] } };
    expect(change(islands, after)).toEqual({ stale: [], flushed: [] });
  });

  it('rise where a route table changed, and nowhere else', () => {
    const after: Words = { ...islands, rts: { rt: [['0.0.0.0/0', 'None', null, 'closed']] } };
    expect(change(islands, after).stale).toEqual(['a1']);
  });

  it('rise within reach of a NIC that appeared, not on another island', () => {
    const after = { ...islands, nics: { ...islands.nics, new: { subnet: 'bs', ip: '10.1.0.5' } } };
    expect(change(islands, after).stale.toSorted()).toEqual(island.toSorted());
  });

  it('rise within reach of a NIC that went, and at its own id', () => {
    const { b1: _removed, ...nics } = islands.nics!;
    const { stale } = change(islands, { ...islands, nics });
    expect(stale.toSorted()).toEqual(island.toSorted());
    expect(stale).toContain('b1');
  });

  it("rise within reach of an endpoint's new state (PE-21)", () => {
    const after: Words = { ...islands, pes: { pe: { ...islands.pes!['pe'], state: 'Rejected' } } };
    expect(change(islands, after).stale.toSorted()).toEqual(island.toSorted());
  });

  it('rise on both sides of a peering that closes', () => {
    const peers: Words['peers'] = [['a', 'b', { a: { peeringState: 'Disconnected' } }]];
    expect(change(islands, { ...islands, peers }).stale.toSorted()).toEqual(island.toSorted());
  });

  it('rise at the NIC whose outbound method changed, and at exits', () => {
    const nics = { ...islands.nics, far1: { ...islands.nics!['far1'], pip: '20.0.0.1' } };
    const { stale } = change(islands, { ...islands, nics });
    expect(stale).toEqual(expect.arrayContaining(['far1', ...exits]));
    expect(stale).not.toContain('a1');
  });

  it('rise where captures begin, since paths know their taps', () => {
    const { stale } = change(islands, islands, { attachments: new Set(['far1']), endpoints: new Set() });
    expect(stale).toContain('far1');
    expect(stale).not.toContain('a1');
  });
});

describe('flushes', () => {
  const flushing = (group: string, rules: NonNullable<Words['nsgs']>[string]): Words => ({
    ...islands,
    nsgs: { ...islands.nsgs, [group]: rules },
    flush: [group],
  });

  it.each([
    ['nicg', ['a1']],
    ['asg', ['a1']],
    ['farg', ['far1']],
    ['peg', ['pe']],
  ])('rules of %s with flushConnection flush %s and make every path stale (NSG-29, NSG-37)', (group, flushed) => {
    const result = change(flushing(group, []), flushing(group, [denyAll]));
    expect(result.flushed).toEqual(flushed);
    expect(result.stale.toSorted()).toEqual(everybody.toSorted());
  });

  it('switching the property on flushes once, switching it off does not', () => {
    expect(change(islands, flushing('nicg', [])).flushed).toEqual(['a1']);
    expect(change(flushing('nicg', []), flushing('nicg', [])).flushed).toEqual([]);
    expect(change(flushing('nicg', []), islands).flushed).toEqual([]);
  });

  it('a rule that is only renamed flushes nothing', () => {
    const renamed = [...denyAll.slice(0, 8), 'Renamed'] as unknown as typeof denyAll;
    expect(change(flushing('nicg', [denyAll]), flushing('nicg', [renamed])).flushed).toEqual([]);
  });

  it('rules that change their meaning by a tag flush too', () => {
    const after = { ...flushing('nicg', []), vnets: { ...islands.vnets, b: ['10.1.0.0/16', '10.5.0.0/16'] } };
    expect(change(flushing('nicg', []), after).flushed).toEqual(['a1']);
  });

  it('rules of another group flush nothing', () => {
    const after = { ...flushing('nicg', []), nsgs: { ...islands.nsgs, asg: [denyAll] } };
    expect(change(flushing('nicg', []), after)).toEqual({ stale: [], flushed: [] });
  });
});
