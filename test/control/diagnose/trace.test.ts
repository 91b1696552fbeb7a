// Provenance rows in, names and sentences out: one table of verdicts, and the steps of the typical passes.

import { describe, expect, test } from 'vitest';
import { BY_FLOW, BY_PLATFORM, ESTABLISHED_PATH, NO_NSG } from '../../../src/abi/provenance.ts';
import { traceOf } from '../../../src/control/diagnose/trace.ts';
import { packetComments, verdictText } from '../../../src/control/diagnose/verdict-text.ts';
import { AT, provenanceRow, ROUTE, RULE, SIDE_TABLE } from './provenance-fixture.ts';
import type { RowFields } from './provenance-fixture.ts';

const trace = (fields: RowFields) => traceOf(provenanceRow(fields), SIDE_TABLE);

const { app, web, nva, sqlmi, internet, onprem, platform } = AT;
const toEndpoint = { ingress: app, route: ROUTE.endpoint, endpoint: 0 };
const VERDICTS: [string, RowFields][] = [
  ['delivered to web', { ingress: app, egress: web, route: ROUTE.peering }],
  ['delivered to sqlmi1 through pe-sqlmi', { ...toEndpoint, egress: sqlmi, translation: 'endpoint' }],
  ['delivered to app', { ingress: sqlmi, egress: app, endpoint: 0, translation: 'endpointReply', established: 1 }],
  ['delivered to app', { ingress: app, egress: app, route: ROUTE.local }],
  ['exited to internet as 20.0.0.1', { ingress: app, egress: internet, translation: 'publicIpOut', nat: 0 }],
  ['exited to internet as 20.0.0.9', { ingress: app, egress: internet, translation: 'natOut', nat: 0 }],
  [
    'exited to internet as one of 20.0.0.7, 20.0.0.8',
    { ingress: app, egress: internet, translation: 'natOut', nat: 1 },
  ],
  ['exited to onprem:hub', { ingress: app, egress: onprem }],
  ['exited to platform', { ingress: app, egress: platform, translation: 'exitPort' }],
  ['consumed by the fabric', { ingress: app }],
  ['answered by the fabric', { ingress: app, egress: app }],
  [
    'dropped NSG_DENY nsg-app/DenySql (inbound, subnet) topology.yaml:41',
    { ingress: app, route: ROUTE.peering, inSubnet: RULE.denySql, drop: 'NSG_DENY', stage: 'subnetNsg', dropAt: web },
  ],
  [
    'dropped NSG_DENY nsg-app/DenyAllInBound (inbound, NIC) default rule',
    { ingress: app, inSubnet: NO_NSG, inNic: RULE.denyAllIn, drop: 'NSG_DENY', stage: 'nicNsg', dropAt: web },
  ],
  [
    'dropped NSG_DENY nsg-pe/DenyApp (inbound, subnet of pe-sqlmi) topology.yaml:60',
    { ...toEndpoint, endpointRule: RULE.denyApp, drop: 'NSG_DENY', stage: 'subnetNsg' },
  ],
  [
    'dropped ROUTE_NONE 10.0.0.0/8 Default None',
    { ingress: app, route: ROUTE.none, drop: 'ROUTE_NONE', stage: 'route', dropAt: app },
  ],
  [
    'dropped NEXT_HOP_UNREACHABLE 0.0.0.0/0 User VirtualAppliance 10.0.3.4 rt-app/to-nva topology.yaml:50',
    { ingress: app, route: ROUTE.toNva, drop: 'NEXT_HOP_UNREACHABLE', stage: 'route', dropAt: app },
  ],
  [
    'dropped ROUTE_NONE app (route): the chosen route has next hop None',
    { ingress: app, drop: 'ROUTE_NONE', stage: 'route', dropAt: app },
  ],
  [
    'dropped MTU_EXCEEDED app (route): the packet is larger than the path carries',
    { ingress: app, route: ROUTE.internet, drop: 'MTU_EXCEEDED', stage: 'route', dropAt: app },
  ],
  [
    'dropped PE_NOT_APPROVED pe-sqlmi (admission) topology.yaml:12: the private endpoint connection is not Approved',
    { ...toEndpoint, endpointRule: NO_NSG, drop: 'PE_NOT_APPROVED', stage: 'admission' },
  ],
  [
    'dropped SPOOFED_SOURCE app (egress): the source is not an address of the sending NIC and IP forwarding is off',
    { ingress: app, drop: 'SPOOFED_SOURCE', stage: 'egress', dropAt: app },
  ],
  [
    "dropped FORWARDED_TRAFFIC_NOT_ALLOWED web (peering): the receiver's peering link does not allow forwarded traffic",
    { ingress: nva, route: ROUTE.peering, drop: 'FORWARDED_TRAFFIC_NOT_ALLOWED', stage: 'peering', dropAt: web },
  ],
  [
    'dropped NO_OUTBOUND_PATH app (publicIp): ' +
      'no NAT gateway, public IP or default outbound access leads to the Internet',
    { ingress: app, route: ROUTE.internet, drop: 'NO_OUTBOUND_PATH', stage: 'publicIp', dropAt: app },
  ],
  [
    'dropped ATTACHMENT_GONE attachment 8 (egress): ' +
      'the NIC or endpoint connection that sent the frame no longer exists',
    { ingress: AT.gone, drop: 'ATTACHMENT_GONE', stage: 'egress', dropAt: AT.gone },
  ],
];

describe('the verdict on a pass is one line', () => {
  test.each(VERDICTS)('%s', (text, fields) => {
    expect(verdictText(trace(fields))).toBe(text);
  });
});

test('the steps of a private endpoint pass follow the pipeline (PIPE-5)', () => {
  const steps = trace({
    ...toEndpoint,
    egress: sqlmi,
    outNic: RULE.allowSql,
    outSubnet: NO_NSG,
    endpointRule: RULE.allowVnetIn,
    translation: 'endpoint',
  }).steps.map(({ stage, at, verdict, text }) => `${at}:${stage} ${verdict}: ${text}`);
  expect(steps).toEqual([
    'app:nicNsg continue: allowed by nsg-app/AllowSql (outbound, NIC) topology.yaml:40',
    'app:subnetNsg continue: no network security group: allowed',
    'app:route continue: 10.0.2.5/32 Default InterfaceEndpoint',
    'pe-sqlmi:subnetNsg continue: allowed by nsg-app/AllowVnetInBound (inbound, subnet of pe-sqlmi) default rule',
    'pe-sqlmi:admission continue: destination 10.0.2.5 of pe-sqlmi becomes sqlmi1',
    'pe-sqlmi:ingress continue: delivered to pe-sqlmi',
  ]);
});

test('the steps between peered networks are outbound, route, peering, inbound (PIPE-1, PIPE-2)', () => {
  const steps = trace({
    ingress: app,
    egress: web,
    outNic: BY_FLOW,
    outSubnet: BY_FLOW,
    route: ROUTE.peering,
    inSubnet: RULE.allowVnetIn,
    inNic: NO_NSG,
    established: 1,
  }).steps;
  expect(steps.map(({ stage, at, verdict }) => `${at}:${stage}:${verdict}`)).toEqual([
    'app:nicNsg:skipped',
    'app:subnetNsg:skipped',
    'app:route:continue',
    'web:peering:continue',
    'web:subnetNsg:continue',
    'web:nicNsg:continue',
    'web:ingress:continue',
  ]);
  expect(steps[3]?.text).toBe('crosses the peering from hub to spoke');
});

test('a drop is the last step and carries its rule and source line', () => {
  const result = trace({
    ingress: app,
    route: ROUTE.peering,
    inSubnet: RULE.denySql,
    drop: 'NSG_DENY',
    stage: 'subnetNsg',
    dropAt: web,
  });
  const { reason, stage, droppedAt, outcome, steps } = result;
  expect({ reason, stage, droppedAt, outcome }).toEqual({
    reason: 'NSG_DENY',
    stage: 'subnetNsg',
    droppedAt: 'web:subnetNsg',
    outcome: 'dropped',
  });
  expect(result.to).toBeUndefined();
  expect(steps.at(-1)).toMatchObject({ verdict: 'drop', rule: { rule: 'DenySql' }, source: { line: 41 } });
  expect(result.dropStep).toBe(steps.at(-1));
});

test.each([
  [
    'the last allow decides',
    'nsg-app/AllowVnetInBound',
    { outNic: RULE.allowSql, inSubnet: RULE.allowVnetIn, inNic: NO_NSG },
  ],
  [
    'a deny decides',
    'nsg-app/DenySql',
    { outNic: RULE.allowSql, inSubnet: RULE.denySql, drop: 'NSG_DENY', stage: 'subnetNsg' },
  ],
  ['state at both ends decides', 'flow', { outNic: BY_FLOW, inSubnet: BY_FLOW, inNic: BY_FLOW, established: 3 }],
  [
    'the rule at the receiver decides when only the sender has state',
    'nsg-app/AllowVnetInBound',
    { outNic: BY_FLOW, inNic: RULE.allowVnetIn },
  ],
  ['state decides for a packet on a cached path', 'flow', { outNic: RULE.allowSql, established: ESTABLISHED_PATH }],
  ['nobody decides without groups', undefined, { outNic: NO_NSG, outSubnet: NO_NSG, inSubnet: NO_NSG, inNic: NO_NSG }],
  ['nobody decides about platform traffic', undefined, { outNic: BY_PLATFORM, outSubnet: BY_PLATFORM }],
] as [string, string | undefined, Partial<RowFields>][])('by: %s', (_name, by, fields) => {
  expect(trace({ ingress: app, egress: web, ...fields }).by).toBe(by);
});

test('a drop at an endpoint names the endpoint, a drop on arrival the receiver', () => {
  const refused = { ...toEndpoint, drop: 'PE_PORT_NOT_SERVED', stage: 'admission' } as const;
  expect(trace(refused)).toMatchObject({ droppedAt: 'pe-sqlmi:admission', endpoint: 'pe-sqlmi', service: 'sqlmi1' });
  const reverse = { ingress: sqlmi, endpoint: 0, drop: 'NO_REVERSE_FLOW', stage: 'egress', dropAt: sqlmi } as const;
  expect(trace(reverse).droppedAt).toBe('pe-sqlmi:egress');
  const forwarded = { ingress: app, drop: 'IP_FORWARDING_DISABLED', stage: 'ingress', dropAt: web } as const;
  expect(trace(forwarded).droppedAt).toBe('web:ingress');
});

test('the route of a trace is prefix, source and next-hop type', () => {
  expect(trace({ ingress: app, egress: nva, route: ROUTE.toNva }).route).toEqual([
    '0.0.0.0/0',
    'User',
    'VirtualAppliance',
  ]);
});

test('a capture gets the verdict first, then one comment per decision', () => {
  const comments = packetComments(
    trace({
      ingress: app,
      egress: internet,
      outNic: RULE.allowSql,
      outSubnet: NO_NSG,
      route: ROUTE.internet,
      translation: 'publicIpOut',
      nat: 0,
    }),
  );
  expect(comments).toEqual([
    'exited to internet as 20.0.0.1',
    'NSG: allowed by nsg-app/AllowSql (outbound, NIC) topology.yaml:40',
    'route: 0.0.0.0/0 Default Internet',
    'NAT: source becomes 20.0.0.1 (pip-app)',
  ]);
});

test('packets of an established connection say that rules were skipped, once', () => {
  const byState = packetComments(trace({ ingress: app, egress: web, outNic: BY_FLOW, inNic: BY_FLOW, established: 3 }));
  expect(byState).toEqual(['delivered to web', 'NSG: rules skipped: connection state exists']);
  const onPath = packetComments(
    trace({ ingress: app, egress: web, outNic: RULE.allowSql, established: ESTABLISHED_PATH }),
  );
  expect(onPath.filter((comment) => comment.startsWith('NSG:'))).toEqual([
    'NSG: rules skipped: connection state exists, admitted by nsg-app/AllowSql (outbound, NIC) topology.yaml:40',
  ]);
});

test.each([
  [
    'publicIpIn',
    { ingress: internet, egress: app, nat: 0 },
    'app',
    'destination 20.0.0.1 (pip-app) becomes the private address',
  ],
  [
    'natIn',
    { ingress: internet, egress: app, nat: 0 },
    'app',
    'destination 20.0.0.9 (natgw) and its port become those of the sender',
  ],
  [
    'natIn',
    { ingress: internet, egress: app },
    'app',
    'destination a public address and its port become those of the sender',
  ],
  [
    'natOut',
    { ingress: app, egress: internet, nat: 0 },
    'app',
    'source becomes 20.0.0.9 (natgw), with a port of its own',
  ],
  [
    'exitPort',
    { ingress: app, egress: platform },
    'app',
    'the port changes: another network already uses this five-tuple at the exit',
  ],
] as const)('the translation %s is a step of its own', (translation, fields, at, text) => {
  const step = trace({ ...fields, translation }).steps.find(({ stage }) => stage === 'publicIp');
  expect(step).toMatchObject({ at, text, verdict: 'continue' });
});

test('a row whose rule the side table does not know is a bug and throws', () => {
  expect(() => trace({ ingress: app, outNic: 99 })).toThrow('no rule 99');
});
