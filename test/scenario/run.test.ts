import { describe, expect, test } from 'vitest';
import { APP_AND_SQLMI, failures, run, THROUGH_APPLIANCE } from './fixtures.ts';

describe('connect', () => {
  test('crosses a private endpoint and is seen on both of its sides', async () => {
    const result = await run(APP_AND_SQLMI, [
      {
        connect: { from: 'app', to: 'pe-sqlmi:1433', data: { request: '200B', response: '4KiB' } },
        expect: {
          result: 'established',
          outcome: 'delivered',
          at: 'sqlmi1',
          to: 'pe-sqlmi',
          bytes: 4096,
          retransmissions: 0,
          dropped: 0,
          route: ['10.0.2.4/32', 'Default', 'InterfaceEndpoint'],
          seenBy: {
            app: { src: '10.0.0.4', dst: '10.0.2.4', dport: 1433, flags: 'S', ttl: 64, protocol: 'tcp' },
            sqlmi1: { src: '10.0.0.4', dport: 1433 },
            'pe-sqlmi.consumer': { dst: '10.0.2.4' },
          },
          notSeenBy: 'db',
        },
      },
      { connect: { from: 'app', to: 'sqlmi1.abc.database.windows.net:1433' }, expect: { result: 'established' } },
      { connect: { from: 'app', to: 'sqlmi1:1433' }, expect: { at: 'sqlmi1' } },
    ]);
    expect(failures(result)).toEqual([]);
    expect(result.failed).toBe(0);
    expect(result.counters.dropped).toEqual({});
  });

  test('ends at the first packet that the fabric drops, and names the rule with its line', async () => {
    const result = await run(APP_AND_SQLMI, [
      {
        connect: { from: 'app', to: 'db:22' },
        expect: {
          result: 'dropped',
          outcome: 'dropped',
          reason: 'NSG_DENY',
          by: 'nsg-app/DenySsh',
          rule: 'DenySsh',
          at: 'app:subnetNsg',
          stage: 'subnetNsg',
          packets: 1,
          dropped: 1,
          notSeenBy: ['db'],
        },
      },
      {
        connect: { from: 'app', to: 'pe-sqlmi:5022' },
        expect: { result: 'dropped', reason: 'PE_PORT_NOT_SERVED', stage: 'admission', by: 'pe-sqlmi', at: 'pe-sqlmi' },
      },
    ]);
    expect(failures(result)).toEqual([]);
    expect(result.steps[0]?.verdict).toContain('dropped NSG_DENY nsg-app/DenySsh (outbound, subnet)');
    expect(result.counters.dropped).toEqual({ NSG_DENY: 1, PE_PORT_NOT_SERVED: 1 });
  });

  test('with retries goes on sending and times out by its own clock', async () => {
    const result = await run(APP_AND_SQLMI, [
      {
        connect: { from: 'app', to: 'db:22', retries: 2 },
        expect: { result: 'timedOut', reason: 'NSG_DENY', retransmissions: 2, packets: 3 },
      },
    ]);
    expect(failures(result)).toEqual([]);
    expect(result.virtualNs).toBeGreaterThan(3e9);
  });

  test('is reset when nothing listens on the port', async () => {
    const steps = [
      { connect: { from: 'app', to: 'db:80' }, expect: { result: 'established' } },
      { connect: { from: 'app', to: 'db:81' }, expect: { result: 'reset', outcome: 'delivered', at: 'db' } },
    ];
    expect(failures(await run(APP_AND_SQLMI, steps, { hosts: { db: { listen: [80] } } }))).toEqual([]);
  });

  test('names the appliances it crossed, in order', async () => {
    const steps = [
      { connect: { from: 'app', to: 'db:80' }, expect: { result: 'established', via: ['nva'], at: 'db' } },
      { connect: { from: 'db', to: 'app:80' }, expect: { result: 'established', via: [], at: 'app' } },
    ];
    expect(failures(await run(THROUGH_APPLIANCE, steps))).toEqual([]);
  });

  test('survives loss by retransmission', async () => {
    const steps = [
      {
        connect: { from: 'app', to: 'db:80', data: { request: '20KiB', response: '100KiB' } },
        expect: { result: 'established', bytes: 102400, retransmissions: '> 0', lost: '> 0' },
      },
    ];
    const result = await run(APP_AND_SQLMI, steps, { links: { app: { loss: '10%' } }, seed: 3 });
    expect(failures(result)).toEqual([]);
    expect(result.counters.linkLost).toBeGreaterThan(0);
  });
});

describe('kept connections', () => {
  test('carry data either way until they are closed', async () => {
    const steps = [
      { connect: { from: 'app', to: 'db:80', keep: 'web' }, expect: { result: 'established' } },
      { send: { on: 'web', bytes: '1KiB' }, expect: { result: 'established', bytes: 1024 } },
      { send: { on: 'web', bytes: '3KiB', from: 'server' }, expect: { result: 'established', bytes: 3072 } },
      { close: 'web', expect: { result: 'established', seenBy: { db: { flags: 'F.' } } } },
    ];
    expect(failures(await run(APP_AND_SQLMI, steps))).toEqual([]);
  });

  test('outlive a rule that denies new connections', async () => {
    const rule = { nsg: 'nsg-app', name: 'DenyWeb', priority: 300, direction: 'Outbound', access: 'Deny' };
    const steps = [
      { connect: { from: 'app', to: 'db:80', keep: 'web' } },
      { setRule: { ...rule, protocol: 'Tcp', destinationPorts: 80 } },
      { send: { on: 'web', bytes: 100 }, expect: { result: 'established', by: 'flow' } },
      { connect: { from: 'app', to: 'db:80' }, expect: { result: 'dropped', by: 'nsg-app/DenyWeb' } },
      { removeRule: { nsg: 'nsg-app', name: 'DenyWeb' } },
      { connect: { from: 'app', to: 'db:80' }, expect: { result: 'established' } },
    ];
    const result = await run(APP_AND_SQLMI, steps);
    expect(failures(result)).toEqual([]);
    expect(result.steps[3]?.verdict).toMatch(/DenyWeb \(outbound, subnet\) scenario\.yaml:\d+/);
  });

  test('a step for a connection that was never established cannot run', async () => {
    const steps = [{ connect: { from: 'app', to: 'db:22', keep: 'ssh' } }, { send: { on: 'ssh', bytes: 100 } }];
    const result = await run(APP_AND_SQLMI, steps);
    expect(result.steps[1]).toMatchObject({ status: 'failed', problem: expect.stringContaining("'ssh'") });
  });
});

describe('ping and udp', () => {
  test('ping counts its replies, and the platform answers none', async () => {
    const steps = [
      { ping: { from: 'app', to: 'db', count: 3 }, expect: { result: 'replied', replies: 3 } },
      { ping: { from: 'app', to: '168.63.129.16' }, expect: { result: 'lost', replies: 0 } },
      { ping: { from: 'app', to: 'pe-sqlmi' }, expect: { result: 'dropped', reason: 'PE_PROTOCOL' } },
    ];
    expect(failures(await run(APP_AND_SQLMI, steps))).toEqual([]);
  });

  test('a time to live that ends at an appliance is unreachable', async () => {
    const steps = [{ ping: { from: 'app', to: 'db', ttl: 1 }, expect: { result: 'unreachable', replies: 0 } }];
    expect(failures(await run(THROUGH_APPLIANCE, steps))).toEqual([]);
  });

  test('a datagram comes back only when a reply was asked for', async () => {
    const steps = [
      { udp: { from: 'app', to: 'db:5000', size: 100 }, expect: { outcome: 'delivered', at: 'db', packets: 1 } },
      { udp: { from: 'app', to: 'db:5000', payload: 'hello', reply: true }, expect: { result: 'replied', bytes: 5 } },
    ];
    expect(failures(await run(APP_AND_SQLMI, steps))).toEqual([]);
  });
});

describe('packet', () => {
  test('is judged alone, whatever it causes', async () => {
    const steps = [
      {
        packet: { from: 'app', to: 'db', tcp: { sport: 40000, dport: 80, flags: 'S.', seq: 7, ack: 9 }, ttl: 9 },
        expect: { outcome: 'delivered', at: 'db', packets: 1, seenBy: { db: { ttl: 9, seq: 7, ack: 9, flags: 'SA' } } },
      },
      { packet: { from: 'sqlmi1', to: 'app', tcp: { dport: 22 } }, expect: { reason: 'NO_REVERSE_FLOW' } },
      { packet: { from: 'app', to: 'db:80', src: '1.2.3.4' }, expect: { reason: 'SPOOFED_SOURCE', at: 'app:egress' } },
      { packet: { from: 'app', to: 'db', protocol: 47 }, expect: { reason: 'PROTOCOL_NOT_SUPPORTED' } },
      { packet: { from: 'app', raw: '00 11' }, expect: { reason: 'FRAME_MALFORMED' } },
    ];
    expect(failures(await run(APP_AND_SQLMI, steps))).toEqual([]);
  });
});

describe('changes', () => {
  test('an endpoint that is rejected admits nothing new, and a second approval is refused', async () => {
    const steps = [
      { reject: 'pe-sqlmi' },
      { advance: '5m' },
      {
        connect: { from: 'app', to: 'pe-sqlmi:1433' },
        expect: { result: 'dropped', reason: 'PE_NOT_APPROVED', by: 'pe-sqlmi' },
      },
      { approve: 'pe-sqlmi', expect: { refused: 'CONNECTION_FINAL' } },
      { approve: 'pe-sqlmi' },
      { setEndpoint: { endpoint: 'pe-sqlmi', state: 'Approved' } },
      { connect: { from: 'app', to: 'pe-sqlmi:1433' }, expect: { result: 'established' } },
    ];
    const result = await run(APP_AND_SQLMI, steps);
    expect(result.steps.map((step) => step.status)).toEqual([
      'passed',
      'passed',
      'passed',
      'passed',
      'failed',
      'passed',
      'passed',
    ]);
    expect(result.steps[4]?.problem).toContain('refused CONNECTION_FINAL');
  });

  test('a change that breaks the network is refused and changes nothing', async () => {
    const rule = { nsg: 'nsg-app', name: 'TooLow', priority: 99, direction: 'Outbound', access: 'Deny' };
    const steps = [
      { setRule: rule, expect: { refused: 'RULE_PRIORITY_RANGE' } },
      { connect: { from: 'app', to: 'db:80' }, expect: { result: 'established' } },
    ];
    expect(failures(await run(APP_AND_SQLMI, steps))).toEqual([]);
  });

  test('a NIC that is removed neither sends nor receives any more', async () => {
    const steps = [
      { remove: { nic: 'db' } },
      { connect: { from: 'app', to: 'db:80' }, expect: { result: 'dropped', reason: 'NO_SUCH_DESTINATION' } },
      { connect: { from: 'db', to: 'app:80' } },
    ];
    const result = await run(APP_AND_SQLMI, steps);
    expect(failures(result)).toEqual(["3 'db' is no longer there (it was removed by an earlier step)"]);
  });

  test('routes, forwarding and policies take effect on the next connection', async () => {
    const route = { table: 'to-nva', name: 'db-through-nva', addressPrefix: '10.0.1.0/24', nextHopType: 'None' };
    const steps = [
      { setRoute: route },
      {
        connect: { from: 'app', to: 'db:80' },
        expect: { reason: 'ROUTE_NONE', route: ['10.0.1.0/24', 'User', 'None'] },
      },
      { removeRoute: { table: 'to-nva', name: 'db-through-nva' } },
      { connect: { from: 'app', to: 'db:80' }, expect: { result: 'established', via: [] } },
      { setForwarding: { nic: 'nva', enabled: false } },
      { setPolicies: { subnet: 'hub/dmz', privateEndpointNetworkPolicies: 'Enabled' } },
      { setRoute: { ...route, nextHopType: 'VirtualAppliance', nextHopIpAddress: '10.0.3.4' } },
      { connect: { from: 'app', to: 'db:80' }, expect: { reason: 'IP_FORWARDING_DISABLED', at: 'nva:ingress' } },
    ];
    expect(failures(await run(THROUGH_APPLIANCE, steps))).toEqual([]);
  });
});

describe('load', () => {
  test('opens all its connections and adds them up', async () => {
    const steps = [
      {
        load: {
          from: ['app', 'db'],
          to: 'pe-sqlmi:1433',
          connections: 40,
          rate: '500/s',
          request: '200B',
          response: '4KiB',
        },
        expect: { established: 40, failed: 0, bytes: 40 * 4096, retransmissions: 0, at: 'sqlmi1' },
      },
      {
        load: { from: 'app', to: 'db:22', connections: 10 },
        expect: { established: 0, failed: 10, by: 'nsg-app/DenySsh' },
      },
    ];
    expect(failures(await run(APP_AND_SQLMI, steps))).toEqual([]);
  });

  test('in the background it meets the changes that later steps make', async () => {
    const steps = [
      { load: { from: 'app', to: 'pe-sqlmi:1433', connections: 100, rate: '100/s', background: true }, name: 'sql' },
      { advance: '500ms' },
      { reject: 'pe-sqlmi' },
      { wait: 'sql', expect: { established: '> 40', failed: '> 40', reason: 'PE_NOT_APPROVED' } },
    ];
    expect(failures(await run(APP_AND_SQLMI, steps))).toEqual([]);
  });
});

test('a failed expectation shows expected, got and the trace of the packet that decided', async () => {
  const result = await run(APP_AND_SQLMI, [
    {
      connect: { from: 'app', to: 'pe-sqlmi:5022' },
      expect: { result: 'established', seenBy: { sqlmi1: { dport: 5022 } } },
    },
    { connect: { from: 'app', to: 'pe-sqlmi:5022' }, expect: { result: 'established' }, level: 'warning' },
  ]);
  expect([result.passed, result.failed, result.warnings]).toEqual([0, 1, 1]);
  const [step] = result.steps;
  expect(step?.mismatches[0]).toEqual({ key: 'result', expected: 'established', got: 'dropped' });
  expect(step?.mismatches[1]?.key).toBe('seenBy.sqlmi1');
  expect(step?.trace.join('\n')).toContain('PE_PORT_NOT_SERVED');
  expect(step?.trace.join('\n')).toContain('10.0.2.4/32 Default InterfaceEndpoint');
});

test('the same seed gives the same run, another seed another one', async () => {
  const steps = [
    { load: { from: 'app', to: 'db:80', connections: 30, rate: '1000/s', request: '500B', response: '2KiB' } },
  ];
  const settings = { links: { app: { loss: '5%', jitter: '10us', delay: '100us' } } };
  const counters = async (seed: number): Promise<unknown> => {
    const { virtualNs, counters: totals } = await run(APP_AND_SQLMI, steps, { ...settings, seed });
    return { virtualNs, totals };
  };
  expect(await counters(11)).toEqual(await counters(11));
  expect(await counters(11)).not.toEqual(await counters(12));
});
