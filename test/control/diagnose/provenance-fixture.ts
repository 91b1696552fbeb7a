// A small network as a side table, and provenance rows by name, for tests of traces and captures.

import * as provenance from '../../../src/abi/provenance.ts';
import { DROP } from '../../../src/abi/drop-reasons.ts';
import type { DropName } from '../../../src/abi/drop-reasons.ts';
import type { StageName, TranslationName } from '../../../src/abi/provenance.ts';
import type { AttachmentInfo, RuleInfo, SideTable } from '../../../src/control/compile/compiled.ts';

export const AT = { app: 0, web: 1, nva: 2, sqlmi: 3, internet: 4, onprem: 5, platform: 6, service: 7, gone: 8 };
export const RULE = { allowSql: 0, denySql: 1, allowVnetIn: 2, denyAllIn: 3, denyApp: 4 };
export const ROUTE = { local: 0, none: 1, endpoint: 2, toNva: 3, internet: 4, peering: 5 };

const line = (number: number) => ({ file: 'networks/topology.yaml', line: number, column: 5 });

function rule(
  nsg: string,
  name: string,
  direction: RuleInfo['direction'],
  access: RuleInfo['access'],
  at?: number,
): RuleInfo {
  const info = {
    nsg,
    nsgId: `/nsgs/${nsg}`,
    rule: name,
    priority: 100,
    direction,
    access,
    isDefault: at === undefined,
  };
  return at === undefined ? info : { ...info, source: line(at) };
}

function nic(attachment: number, name: string, address: string, vnet: string, ipForwarding = false): AttachmentInfo {
  return { attachment, kind: 'nic', name, id: `/nics/${name}`, vnet, subnet: 'apps', address, ipForwarding };
}

const UNDERLAY = {
  source: ['fd41:108:20::', 'ffff:ffff:ffff:ffff:ffff:ffff::'],
  nic: ['::1:0:0', '::ffff:ffff:ffff:0:0'],
  destination: ['2603:10e1:100:2::', 'ffff:ffff:ffff:ffff:ffff:ffff::'],
  outerSource: '100.64.0.1',
  outerDestination: '10.9.0.10',
  key: 100,
} as const;

export const SIDE_TABLE: SideTable = {
  epoch: 1,
  rules: [
    rule('nsg-app', 'AllowSql', 'Outbound', 'Allow', 40),
    rule('nsg-app', 'DenySql', 'Inbound', 'Deny', 41),
    rule('nsg-app', 'AllowVnetInBound', 'Inbound', 'Allow'),
    rule('nsg-app', 'DenyAllInBound', 'Inbound', 'Deny'),
    rule('nsg-pe', 'DenyApp', 'Inbound', 'Deny', 60),
  ],
  routes: [
    { name: null, source: 'Default', state: 'Active', prefix: '10.0.0.0/16', nextHopType: 'VnetLocal' },
    { name: null, source: 'Default', state: 'Active', prefix: '10.0.0.0/8', nextHopType: 'None' },
    { name: null, source: 'Default', state: 'Active', prefix: '10.0.2.5/32', nextHopType: 'InterfaceEndpoint' },
    {
      name: 'to-nva',
      source: 'User',
      state: 'Active',
      prefix: '0.0.0.0/0',
      nextHopType: 'VirtualAppliance',
      nextHopIpAddress: '10.0.3.4',
      routeTable: 'rt-app',
      location: line(50),
    },
    { name: null, source: 'Default', state: 'Active', prefix: '0.0.0.0/0', nextHopType: 'Internet' },
    { name: null, source: 'Default', state: 'Active', prefix: '10.1.0.0/16', nextHopType: 'VNetPeering' },
  ],
  endpoints: [
    {
      id: '/pes/pe-sqlmi',
      name: 'pe-sqlmi',
      address: '10.0.2.5',
      vnet: 'hub',
      target: 'sqlmi1',
      linkId: 1,
      underlay: UNDERLAY,
      source: line(12),
    },
  ],
  attachments: [
    nic(AT.app, 'app', '10.0.0.4', 'hub'),
    nic(AT.web, 'web', '10.1.0.4', 'spoke'),
    nic(AT.nva, 'nva', '10.0.3.4', 'hub', true),
    { attachment: AT.sqlmi, kind: 'provider', name: 'pe-sqlmi', id: '/pes/PE-SQLMI' },
    { attachment: AT.internet, kind: 'internet', name: 'internet', id: '' },
    { attachment: AT.onprem, kind: 'onPremises', name: 'onprem:hub', id: '', vnet: 'hub' },
    { attachment: AT.platform, kind: 'platform', name: 'platform', id: '' },
    { attachment: AT.service, kind: 'service', name: 'service', id: '' },
    undefined,
  ],
  natPools: [
    { name: 'natgw', addresses: ['20.0.0.9'] },
    { name: 'natgw2', addresses: ['20.0.0.7', '20.0.0.8'] },
  ],
  publicIps: [{ name: 'pip-app', address: '20.0.0.1' }],
  balanceRules: [],
};

export interface RowFields {
  readonly ingress: number;
  readonly egress?: number;
  readonly outNic?: number;
  readonly outSubnet?: number;
  readonly route?: number;
  readonly endpointRule?: number;
  readonly endpoint?: number;
  readonly inSubnet?: number;
  readonly inNic?: number;
  readonly drop?: DropName;
  readonly stage?: StageName;
  readonly dropAt?: number;
  readonly translation?: TranslationName;
  readonly established?: number;
  readonly nat?: number;
}

/** A provenance row; what is not given was not reached. */
export function provenanceRow(fields: RowFields): Int32Array {
  const row = new Int32Array(provenance.PROVENANCE_WORDS).fill(provenance.NONE);
  const put = (index: number, value: number | undefined): void => {
    if (value !== undefined) row[index] = value;
  };
  put(provenance.PROV_EPOCH, 1);
  put(provenance.PROV_INGRESS, fields.ingress);
  put(provenance.PROV_EGRESS, fields.egress);
  put(provenance.PROV_OUT_NIC_RULE, fields.outNic);
  put(provenance.PROV_OUT_SUBNET_RULE, fields.outSubnet);
  put(provenance.PROV_ROUTE, fields.route);
  put(provenance.PROV_ENDPOINT_RULE, fields.endpointRule);
  put(provenance.PROV_ENDPOINT, fields.endpoint);
  put(provenance.PROV_IN_SUBNET_RULE, fields.inSubnet);
  put(provenance.PROV_IN_NIC_RULE, fields.inNic);
  put(provenance.PROV_DROP, DROP[fields.drop ?? 'NONE']);
  put(provenance.PROV_STAGE, provenance.STAGE[fields.stage ?? 'none']);
  put(provenance.PROV_DROP_AT, fields.dropAt);
  put(provenance.PROV_TRANSLATION, provenance.TRANSLATION[fields.translation ?? 'none']);
  put(provenance.PROV_ESTABLISHED, fields.established ?? 0);
  put(provenance.PROV_NAT, fields.nat);
  return row;
}
