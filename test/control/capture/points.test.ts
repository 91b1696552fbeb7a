// Which points see a packet, for every kind of translation and every place of a drop; and how users name points.

import { describe, expect, test } from 'vitest';
import { checkPointPatterns, createPointSelector } from '../../../src/control/capture/point-selection.ts';
import { capturePoints, sightingsOf } from '../../../src/control/capture/points.ts';
import { NO_NSG } from '../../../src/abi/provenance.ts';
import { AT, provenanceRow, ROUTE, RULE, SIDE_TABLE } from '../diagnose/provenance-fixture.ts';
import type { RowFields } from '../diagnose/provenance-fixture.ts';

const { app, web, nva, sqlmi, internet, onprem, platform, service } = AT;

function seen(phase: 'before' | 'after', fields: RowFields): string {
  const sightings = sightingsOf(phase, provenanceRow(fields), SIDE_TABLE);
  return sightings.map(({ point, direction }) => `${point.name} ${direction}`).join(', ');
}

describe('a packet that arrives is seen', () => {
  test.each([
    ['none', { ingress: app, egress: web }, 'app outbound', 'web inbound'],
    ['none', { ingress: app, egress: nva }, 'app outbound', 'nva.in inbound'],
    ['none', { ingress: nva, egress: web }, 'nva.out outbound', 'web inbound'],
    ['none', { ingress: app, egress: onprem }, 'app outbound', 'onprem:hub inbound'],
    ['none', { ingress: app, egress: service }, 'app outbound', 'service inbound'],
    [
      'endpoint',
      { ingress: app, egress: sqlmi, endpoint: 0 },
      'app outbound, pe-sqlmi.consumer inbound',
      'pe-sqlmi.provider inbound',
    ],
    [
      'endpoint',
      { ingress: nva, egress: sqlmi, endpoint: 0 },
      'nva.out outbound, pe-sqlmi.consumer inbound',
      'pe-sqlmi.provider inbound',
    ],
    [
      'endpointReply',
      { ingress: sqlmi, egress: app, endpoint: 0 },
      'pe-sqlmi.provider outbound',
      'pe-sqlmi.consumer outbound, app inbound',
    ],
    ['publicIpOut', { ingress: app, egress: internet, nat: 0 }, 'app outbound', 'internet inbound'],
    ['publicIpIn', { ingress: internet, egress: app, nat: 0 }, 'internet outbound', 'app inbound'],
    ['natOut', { ingress: app, egress: internet, nat: 0 }, 'app outbound', 'internet inbound'],
    ['natIn', { ingress: internet, egress: app, nat: 0 }, 'internet outbound', 'app inbound'],
    ['exitPort', { ingress: app, egress: platform }, 'app outbound', 'platform inbound'],
  ] as const)('translation %s, case %#', (translation, fields, before, after) => {
    expect(seen('before', { ...fields, translation })).toBe(before);
    expect(seen('after', { ...fields, translation })).toBe(after);
  });
});

test('the answer of the fabric comes back to the point of the question', () => {
  expect(seen('after', { ingress: nva })).toBe('nva.in inbound');
  expect(seen('after', { ingress: app, egress: app })).toBe('app inbound');
});

describe('a packet that is dropped is seen at the sender', () => {
  const toEndpoint = { ingress: app, route: ROUTE.endpoint, endpoint: 0 };
  test.each([
    ['egress', { ingress: app, drop: 'SPOOFED_SOURCE', dropAt: app }, 'app outbound'],
    ['egress', { ingress: sqlmi, endpoint: 0, drop: 'NO_REVERSE_FLOW', dropAt: sqlmi }, 'pe-sqlmi.provider outbound'],
    ['nicNsg', { ingress: app, outNic: RULE.denyApp, drop: 'NSG_DENY', dropAt: app }, 'app outbound'],
    ['subnetNsg', { ingress: app, inSubnet: RULE.denySql, drop: 'NSG_DENY', dropAt: web }, 'app outbound'],
    [
      'subnetNsg',
      { ...toEndpoint, endpointRule: RULE.denyApp, drop: 'NSG_DENY' },
      'app outbound, pe-sqlmi.consumer inbound',
    ],
    [
      'admission',
      { ...toEndpoint, endpointRule: NO_NSG, drop: 'PE_NOT_APPROVED' },
      'app outbound, pe-sqlmi.consumer inbound',
    ],
    ['route', { ingress: app, route: ROUTE.none, drop: 'ROUTE_NONE', dropAt: app }, 'app outbound'],
    ['publicIp', { ingress: app, drop: 'NO_OUTBOUND_PATH', dropAt: app }, 'app outbound'],
    [
      'publicIp',
      { ingress: internet, translation: 'publicIpIn', nat: 0, drop: 'INBOUND_CLOSED_PUBLIC_IP', dropAt: app },
      'internet outbound',
    ],
    ['peering', { ingress: nva, drop: 'FORWARDED_TRAFFIC_NOT_ALLOWED', dropAt: web }, 'nva.out outbound'],
    ['ingress', { ingress: app, drop: 'IP_FORWARDING_DISABLED', dropAt: web }, 'app outbound'],
    ['egress', { ingress: AT.gone, drop: 'ATTACHMENT_GONE', dropAt: AT.gone }, 'attachment-8 outbound'],
  ] as const)('stage %s, case %#', (stage, fields, points) => {
    expect(seen('before', { ...fields, stage })).toBe(points);
  });
});

test('points have names and descriptions for people', () => {
  expect(capturePoints(SIDE_TABLE).map(({ name, description }) => `${name}: ${description}`)).toEqual([
    'app: NIC app, 10.0.0.4, hub/apps',
    'web: NIC web, 10.1.0.4, spoke/apps',
    'nva.in: NIC nva, 10.0.3.4, hub/apps, frames it receives',
    'nva.out: NIC nva, 10.0.3.4, hub/apps, frames it sends',
    'pe-sqlmi.provider: private endpoint pe-sqlmi, provider side: sqlmi1',
    'internet: Internet',
    'onprem:hub: on-premises, behind the gateway of hub',
    'platform: platform, 168.63.129.16 and 169.254.169.254',
    'service: public services behind service endpoints',
    'pe-sqlmi.consumer: private endpoint pe-sqlmi, 10.0.2.5, hub, consumer side',
  ]);
});

describe('users choose points', () => {
  const chosen = (patterns?: string[]): string =>
    capturePoints(SIDE_TABLE)
      .filter(createPointSelector(patterns))
      .map(({ name }) => name)
      .join(' ');
  test.each([
    [['app', 'pe-sqlmi.consumer'], 'app pe-sqlmi.consumer'],
    [['nva'], 'nva.in nva.out'],
    [['PE-sqlmi'], 'pe-sqlmi.provider pe-sqlmi.consumer'],
    [['*.in', 'on*'], 'nva.in onprem:hub'],
    [['onprem:hub'], 'onprem:hub'],
    [['nva.'], ''],
    [['n.a.in'], ''],
    [[], ''],
  ])('%j: %s', (patterns, names) => {
    expect(chosen(patterns)).toBe(names);
  });

  test('without a choice every point is wanted', () => {
    expect(chosen().split(' ')).toHaveLength(10);
  });
});

test('unknown points are issues with the nearest name', () => {
  const source = { file: 'scenario.yaml', line: 5, column: 3 };
  const issues = checkPointPatterns(['app', 'pe-sqlmi.consumr', 'zzz*', 'nva'], SIDE_TABLE, source);
  expect(issues).toMatchObject([
    { code: 'CAPTURE_POINT_UNKNOWN', hint: "did you mean 'pe-sqlmi.consumer'?", source },
    { code: 'CAPTURE_POINT_UNKNOWN', message: "the network has no capture point 'zzz*'" },
  ]);
  expect(issues[1]?.hint).toContain('known names: app');
});
