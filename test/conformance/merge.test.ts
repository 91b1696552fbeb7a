// How an override lies over a topology, section by section.

import { describe, expect, it } from 'vitest';
import { mergeTopology } from '../../src/conformance/merge.ts';

const base = {
  subnets: { app: { vnet: 'v', cidr: '10.0.0.0/24', nsg: 'n' }, db: { vnet: 'v', cidr: '10.0.1.0/24' } },
  nics: { vm: { subnet: 'app', ip: '10.0.0.4' } },
  pes: { pe: { subnet: 'db', ip: '10.0.1.4', ports: [1433], state: 'Approved' } },
  nsgs: { n: [[100]], m: [[200]] },
  rts: { r: [['a'], ['b']] },
  peers: [['v', 'w', {}]],
  bgp: { v: ['10.10.0.0/16'] },
};

describe('an override', () => {
  it('changes single fields of subnets, NICs and endpoints and leaves the others', () => {
    const merged = mergeTopology(base, {
      subnets: { app: { nsg: 'm' } },
      nics: { vm: { pip: '20.0.0.1' } },
      pes: { pe: { state: 'Pending' } },
    });
    expect(merged['subnets']).toEqual({
      app: { vnet: 'v', cidr: '10.0.0.0/24', nsg: 'm' },
      db: { vnet: 'v', cidr: '10.0.1.0/24' },
    });
    expect(merged['nics']).toEqual({ vm: { subnet: 'app', ip: '10.0.0.4', pip: '20.0.0.1' } });
    expect(merged['pes']).toEqual({ pe: { subnet: 'db', ip: '10.0.1.4', ports: [1433], state: 'Pending' } });
  });

  it('replaces whole entries of other sections and leaves the entries it does not name', () => {
    const merged = mergeTopology(base, { nsgs: { n: [] }, rts: { r: [['c']] }, bgp: { v: [] } });
    expect(merged['nsgs']).toEqual({ n: [], m: [[200]] });
    expect(merged['rts']).toEqual({ r: [['c']] });
    expect(merged['bgp']).toEqual({ v: [] });
  });

  it('replaces the list of peerings as a whole', () => {
    expect(mergeTopology(base, { peers: [] })['peers']).toEqual([]);
  });

  it('adds entries and sections', () => {
    const merged = mergeTopology(base, { nics: { other: { subnet: 'db' } }, se: { app: ['20.60.0.0/16'] } });
    expect(Object.keys(merged['nics'] as object)).toEqual(['vm', 'other']);
    expect(merged['se']).toEqual({ app: ['20.60.0.0/16'] });
  });

  it('leaves the topology itself unchanged', () => {
    const before = JSON.stringify(base);
    mergeTopology(base, { nics: { vm: { ip: '10.0.0.9' } }, nsgs: { n: [] } });
    expect(JSON.stringify(base)).toBe(before);
  });
});
