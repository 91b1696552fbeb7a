import { describe, expect, test } from 'vitest';
import { behaviourOf } from '../../src/control/model/profile.ts';
import { explain, explanationText } from '../../src/scenario/explain.ts';
import { providerTopology } from '../control/provider-topology.ts';
import { APP_AND_SQLMI, networkOf, THROUGH_APPLIANCE } from './fixtures.ts';
import type { Explanation, Question } from '../../src/scenario/explain.ts';

function explained(topology: object, question: Question): Explanation {
  const { explanation, issues } = explain(networkOf(topology), behaviourOf(), question);
  if (explanation === undefined) throw new Error(issues.map((issue) => issue.message).join('; '));
  return explanation;
}

describe('explain', () => {
  test('tells both directions through a private endpoint', () => {
    const found = explained(APP_AND_SQLMI, { from: 'app', to: 'pe-sqlmi:1433' });
    expect(found.isReachable).toBe(true);
    expect(found.forward.verdict).toBe('delivered to sqlmi1 through pe-sqlmi');
    expect(found.return?.verdict).toBe('delivered to app');
    expect(found.return?.passes[0]?.trace.translation).toBe('endpointReply');
    expect(found.notes).toEqual([]);
    const text = explanationText(found).join('\n');
    expect(text).toContain('app (10.0.0.4) > pe-sqlmi (10.0.2.4):1433 tcp, a new packet');
    expect(text).toContain('10.0.2.4/32 Default InterfaceEndpoint');
    expect(text).toContain('nsg-app/AllowVnetOutBound');
  });

  test('tells who was chosen behind a Private Link service, and speaks of no peering (PLS-7, PLS-8, LB-2)', () => {
    const found = explained(providerTopology(), { from: 'client', to: 'pe:443' });
    expect(found.forward.verdict).toMatch(/^delivered to web[12] through pe$/);
    const text = explanationText(found).join('\n');
    expect(text).toMatch(/pe:admission +destination 10\.0\.1\.5 of pe becomes web[12] of Private Link service shop/);
    expect(text).toMatch(/lb:balancer +lb\/https sends 10\.0\.1\.6 to web[12]/);
    expect(text).toMatch(/source web[12] becomes 10\.0\.1\.5 of pe/);
    expect(text).not.toContain('peering');
  });

  test('stops at a drop and names the rule with its line', () => {
    const found = explained(APP_AND_SQLMI, { from: 'app', to: 'db', port: 22 });
    expect([found.isReachable, found.return]).toEqual([false, undefined]);
    expect(found.forward.passes[0]?.trace).toMatchObject({ reason: 'NSG_DENY', by: 'nsg-app/DenySsh' });
  });

  test('shows an established connection passing the rules', () => {
    const found = explained(APP_AND_SQLMI, { from: 'app', to: 'db:80', state: 'established' });
    expect(found.forward.passes[0]?.packet).toMatch(/Flags \[\.\]|ack/);
    expect(found.forward.passes[0]?.trace.by).toBe('flow');
    expect(found.return?.passes[0]?.trace.by).toBe('flow');
  });

  test('follows an appliance and notes an asymmetric return', () => {
    const found = explained(THROUGH_APPLIANCE, { from: 'app', to: 'db:80' });
    expect(found.forward.via).toEqual(['nva']);
    expect(found.forward.passes).toHaveLength(2);
    expect(found.return?.via).toEqual([]);
    expect(found.notes).toEqual(['the return path is asymmetric: forward through nva, back through no appliance']);
  });

  test('an answer that a stateful appliance does not know is lost', () => {
    const { networkInterfaces, ...rest } = THROUGH_APPLIANCE;
    const nva = { ...networkInterfaces.nva, appliance: { stateful: true } };
    const table = { routes: [{ ...THROUGH_APPLIANCE.routeTables['to-nva'].routes[0], addressPrefix: '10.0.0.0/24' }] };
    const hub = rest.virtualNetworks.hub;
    const subnets = {
      ...hub.subnets,
      app: { addressPrefix: '10.0.0.0/24' },
      db: { ...hub.subnets.db, routeTable: 'back' },
    };
    const topology = {
      ...rest,
      virtualNetworks: { hub: { ...hub, subnets } },
      routeTables: { back: table },
      networkInterfaces: { ...networkInterfaces, nva },
    };
    const found = explained(topology, { from: 'app', to: 'db:80' });
    expect(found.forward.outcome).toBe('delivered');
    expect(found.return?.verdict).toBe('delivered to nva');
    expect(found.isReachable).toBe(false);
    expect(found.notes.at(-1)).toContain('the answer does not reach the sender');
  });

  test('udp and icmp are explained too', () => {
    expect(explained(APP_AND_SQLMI, { from: 'app', to: 'db:53', protocol: 'udp' }).isReachable).toBe(true);
    expect(explained(APP_AND_SQLMI, { from: 'app', to: 'db' }).to).toBe('db (10.0.1.4) icmp');
    expect(explained(APP_AND_SQLMI, { from: 'app', to: 'internet:443' }).forward.outcome).toBe('dropped');
  });

  test('a wrong name or a missing port is an issue', () => {
    const network = networkOf(APP_AND_SQLMI);
    expect(explain(network, behaviourOf(), { from: 'ap', to: 'db:80' }).issues).toMatchObject([
      { code: 'SCENARIO_UNKNOWN_NAME', hint: "did you mean 'app'?" },
    ]);
    expect(explain(network, behaviourOf(), { from: 'app', to: 'db', protocol: 'tcp' }).issues).toMatchObject([
      { code: 'SCENARIO_NO_PORT' },
    ]);
  });
});
