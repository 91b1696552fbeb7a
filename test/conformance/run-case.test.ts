// What a kind gets to see of a case: everything but its expectations.

import { describe, expect, it } from 'vitest';
import { judgeExpect } from '../../src/conformance/kind.ts';
import type { Kind } from '../../src/conformance/kind.ts';
import { dualPort } from '../../src/conformance/kinds/dual-port.ts';
import { flow } from '../../src/conformance/kinds/flow.ts';
import { routes } from '../../src/conformance/kinds/routes.ts';
import { inputOf, runCase } from '../../src/conformance/run-case.ts';
import type { RawCase } from '../../src/conformance/notation.ts';

const plain: Kind = { run: () => ({}), judge: judgeExpect() };
const topologies = new Map([['T', { vnets: { v: ['10.0.0.0/16'] }, subnets: {} }]]);

function visible(raw: RawCase, kind: Kind): string {
  return JSON.stringify(inputOf(raw, kind, topologies));
}

describe('the input of a kind', () => {
  it('holds neither the expectation of the case nor its id', () => {
    const raw = { id: 'SECRET-1', kind: 'packet', packet: { from: 'a' }, expect: { verdict: 'SECRET-2' } };
    expect(visible(raw, plain)).toContain('"from":"a"');
    expect(visible(raw, plain)).not.toContain('SECRET');
  });

  it('holds no expectation of any step of a flow', () => {
    const steps = [
      { packet: { from: 'a' }, expect: { by: 'SECRET' } },
      { event: 'advance', minutes: 5 },
    ];
    const text = visible({ id: 'A', kind: 'flow', steps }, flow);
    expect(text).toContain('"minutes":5');
    expect(text).not.toContain('SECRET');
  });

  it('holds the questions that an expectation asks, without the answers', () => {
    const lookups = { '10.0.0.5': 'SECRET' };
    const raw = { id: 'A', kind: 'routes', routesGiven: [], expect: { lookups } };
    expect(visible(raw, routes)).toContain('10.0.0.5');
    expect(visible(raw, routes)).not.toContain('SECRET');
    const probes = [{ sport: 11, dport: 12, match: 'SECRET' }];
    const asked = inputOf({ id: 'A', kind: 'dualport', expect: { src: 'SECRET', probes } }, dualPort, topologies);
    expect(asked.questions).toEqual([{ sport: 11, dport: 12 }]);
  });

  it('holds the topology with the override merged', () => {
    const raw = {
      id: 'A',
      kind: 'packet',
      topo: 'T',
      override: { subnets: { s: { vnet: 'v', cidr: '10.0.0.0/24' } } },
    };
    expect(inputOf(raw, plain, topologies).topology?.subnets['s']).toMatchObject({ vnet: 'v', cidr: '10.0.0.0/24' });
  });

  it('refuses a topology with a key that the notation does not have', () => {
    const raw = { id: 'A', kind: 'packet', topo: 'T', override: { natgws: {} } };
    expect(() => inputOf(raw, plain, topologies)).toThrow(/topology not understood: .*natgws/);
    const typo = { subnets: { s: { vnet: 'v', cidr: '10.0.0.0/24', nsgg: 'n' } } };
    expect(() => inputOf({ ...raw, override: typo }, plain, topologies)).toThrow(/nsgg/);
  });

  it('needs a topology where one is overridden', () => {
    expect(() => inputOf({ id: 'A', kind: 'packet', override: {} }, plain, topologies)).toThrow(/names none/);
  });
});

describe('a topology that names something absent', () => {
  const expect_ = { verdict: 'drop' };
  const packet = { from: 'vm', to: 'vm', proto: 'Tcp', dport: 80 };
  const run = (override: Record<string, unknown>) =>
    runCase({ id: 'A', kind: 'packet', topo: 'T', override, packet, expect: expect_ }, topologies);

  it('fails the case', () => {
    const subnets = { s: { vnet: 'w', cidr: '10.0.0.0/24' } };
    expect(run({ subnets })).toMatchObject({ status: 'fail', detail: 'subnet s names w, which is not in vnets' });
    expect(run({ nics: { vm: { subnet: 's', ip: '10.0.0.4' } } }).detail).toContain('NIC vm names s');
  });
});
