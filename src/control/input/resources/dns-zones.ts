// Private DNS zones with links and records, zone groups, forwarding rulesets, resolver endpoints, DNS servers on NICs:
// as Azure's tools print them and as topologies state them. Resolver endpoints become NICs: they have addresses.

import { idKey } from '../../model/resources.ts';
import { checkAddress } from '../syntax.ts';
import { baseOf, withSource } from './base.ts';
import { NOT_ALLOCATED } from './interfaces.ts';
import { resolve, resolveReference } from './links.ts';
import { readId, TYPE_OF_KIND } from './resource-types.ts';
import type {
  DnsForwardingRuleset,
  DnsRecordSet,
  DnsRecordType,
  DnsServer,
  PrivateDnsZone,
  PrivateDnsZoneGroup,
  PublicDnsRecord,
  VirtualNetworkLink,
} from '../../model/dns.ts';
import type { Network, NetworkInterface, Reference } from '../../model/resources.ts';
import type { Entry } from './catalogue.ts';
import type { Fields } from './fields.ts';
import type { InputContext } from './links.ts';

const TYPES: readonly DnsRecordType[] = ['A', 'AAAA', 'CNAME', 'TXT', 'PTR', 'MX', 'SRV', 'SOA'];
const TTL_DEFAULT = 3600;

export type DnsPart = Pick<
  Network,
  'privateDnsZones' | 'privateDnsZoneGroups' | 'dnsForwardingRulesets' | 'dnsServers' | 'publicDnsRecords'
>;

export function readDns(context: InputContext): DnsPart {
  const { catalogue } = context;
  return {
    privateDnsZones: catalogue.ofKind('privateDnsZone').map((entry) => readZone(context, entry)),
    privateDnsZoneGroups: catalogue
      .ofKind('privateEndpoint')
      .flatMap((endpoint) =>
        catalogue.childrenOf(endpoint, 'dnsZoneGroup').map((entry) => readZoneGroup(context, endpoint, entry)),
      ),
    dnsForwardingRulesets: catalogue.ofKind('dnsForwardingRuleset').map((entry) => readRuleset(context, entry)),
    dnsServers: readServers(context),
    publicDnsRecords: catalogue.ofKind('publicDnsRecord').flatMap((entry) => readPublicRecord(entry)),
  };
}

/** NICs of the endpoints of DNS resolvers: who asks an inbound one asks Azure (DNS-16). */
export function resolverInterfaces(context: InputContext, subnets: ReadonlySet<string>): NetworkInterface[] {
  const { catalogue } = context;
  return catalogue.ofKind('dnsResolver').flatMap((resolver) =>
    [
      ...catalogue.childrenOf(resolver, 'dnsInboundEndpoint'),
      ...catalogue.childrenOf(resolver, 'dnsOutboundEndpoint'),
    ].flatMap((entry): NetworkInterface[] => {
      const [configuration] = entry.fields.list('ipConfigurations');
      const holder = configuration ?? entry.fields;
      const subnet = resolveReference(context, holder.reference('subnet'), 'subnet');
      const stated = holder.textAt('privateIpAddress');
      const address = stated === undefined ? NOT_ALLOCATED : checkAddress(stated, context.issues);
      if (subnet === undefined || !subnets.has(idKey(subnet.id)) || address === undefined) return [];
      const properties = {
        privateIPAddress: address,
        privateIPAllocationMethod: stated === undefined ? ('Dynamic' as const) : ('Static' as const),
        subnet,
        primary: true,
      };
      const ipConfigurations = [{ id: `${entry.id}/ipConfigurations/ipconfig1`, name: 'ipconfig1', properties }];
      const type = TYPE_OF_KIND.networkInterface;
      const service = { id: resolver.id };
      return [{ ...baseOf(entry, type), properties: { ipConfigurations, enableIPForwarding: false, service } }];
    }),
  );
}

function readZone(context: InputContext, entry: Entry): PrivateDnsZone {
  const { catalogue } = context;
  const links = catalogue.childrenOf(entry, 'dnsZoneLink').flatMap((link): VirtualNetworkLink[] => {
    const virtualNetwork = resolveReference(context, link.fields.reference('virtualNetwork'), 'virtualNetwork');
    const registrationEnabled = link.fields.boolean('registrationEnabled') ?? false;
    const resolutionPolicy = link.fields.word('resolutionPolicy', ['Default', 'NxDomainRedirect']) ?? 'Default';
    if (virtualNetwork === undefined) return [];
    const properties = { virtualNetwork, registrationEnabled, resolutionPolicy };
    return [{ id: link.id, name: link.name, ...withSource(link.fields), properties }];
  });
  const recordSets = catalogue.childrenOf(entry, 'dnsRecordSet').flatMap((record) => readRecordSet(record));
  const properties = { recordSets, virtualNetworkLinks: links };
  return { ...baseOf(entry, TYPE_OF_KIND.privateDnsZone), properties };
}

/** Records of other types than the known ones are left out. */
function readRecordSet(entry: Entry): DnsRecordSet[] {
  const type = typeOf(entry);
  if (type === undefined) return [];
  const { fields } = entry;
  const ttl = fields.number('ttl') ?? TTL_DEFAULT;
  const properties = { type, ttl, values: valuesOf(fields, type) };
  return [{ id: entry.id, name: entry.name, ...withSource(fields), properties }];
}

function typeOf(entry: Entry): DnsRecordType | undefined {
  const text = entry.fields.ownText('type') ?? readId(entry.id)?.type ?? '';
  const last = text.split('/').at(-1)?.toUpperCase();
  return TYPES.find((type) => type === last);
}

/** Values in presentation form from where Azure keeps those of each type. */
function valuesOf(fields: Fields, type: DnsRecordType): string[] {
  const each = (list: string, ...keys: string[]): string[] =>
    fields.list(list).map((record) => keys.map((key) => numberOrText(record, key)).join(' '));
  switch (type) {
    case 'A':
      return each('aRecords', 'ipv4Address');
    case 'AAAA':
      return each('aaaaRecords', 'ipv6Address');
    case 'CNAME': {
      const cname = (fields.has('cnameRecord') ? fields.child('cnameRecord') : undefined)?.text('cname');
      return cname === undefined ? [] : [cname];
    }
    case 'TXT':
      return fields.list('txtRecords').map((record) =>
        record
          .texts('value')
          .map(({ text }) => text)
          .join(''),
      );
    case 'PTR':
      return each('ptrRecords', 'ptrdname');
    case 'MX':
      return each('mxRecords', 'preference', 'exchange');
    case 'SRV':
      return each('srvRecords', 'priority', 'weight', 'port', 'target');
    case 'SOA': {
      const soa = fields.has('soaRecord') ? fields.child('soaRecord') : undefined;
      if (soa === undefined) return [];
      const keys = ['host', 'email', 'serialNumber', 'refreshTime', 'retryTime', 'expireTime', 'minimumTtl'];
      return [keys.map((key) => numberOrText(soa, key)).join(' ')];
    }
    default:
      return type satisfies never;
  }
}

function numberOrText(fields: Fields, key: string): string {
  const value = fields.value(key);
  return typeof value === 'number' ? String(value) : (fields.text(key) ?? '0');
}

function readZoneGroup(context: InputContext, endpoint: Entry, entry: Entry): PrivateDnsZoneGroup {
  const zones = entry.fields.list('privateDnsZoneConfigs').flatMap((config): Reference[] => {
    const reference = config.reference('privateDnsZoneId');
    const zone = resolveReference(context, reference, 'privateDnsZone');
    return zone === undefined ? [] : [zone];
  });
  const properties = { privateEndpoint: { id: endpoint.id }, privateDnsZones: zones };
  return { id: entry.id, name: entry.name, ...withSource(entry.fields), properties };
}

function readRuleset(context: InputContext, entry: Entry): DnsForwardingRuleset {
  const { catalogue } = context;
  const forwardingRules = catalogue.childrenOf(entry, 'dnsForwardingRule').flatMap((rule) => {
    const domainName = rule.fields.requiredText('domainName')?.text;
    const listed = rule.fields.value('targetDnsServers');
    const isPlain = Array.isArray(listed) && listed.every((item) => typeof item === 'string');
    const items = isPlain
      ? rule.fields.texts('targetDnsServers')
      : rule.fields.list('targetDnsServers').flatMap((server) => server.requiredText('ipAddress') ?? []);
    const targetDnsServers = items.flatMap((item) => checkAddress(item, context.issues) ?? []);
    const isEnabled = rule.fields.word('forwardingRuleState', ['Enabled', 'Disabled']) !== 'Disabled';
    return domainName === undefined ? [] : [{ name: rule.name, domainName, targetDnsServers, isEnabled }];
  });
  const links = catalogue.childrenOf(entry, 'dnsRulesetLink').map((link) => link.fields.reference('virtualNetwork'));
  const virtualNetworks = [...entry.fields.references('virtualNetworks'), ...links].flatMap(
    (reference) => resolveReference(context, reference, 'virtualNetwork') ?? [],
  );
  const [outbound] = [
    ...[entry.fields.reference('outboundEndpoint')].filter((reference) => reference !== undefined),
    ...entry.fields.references('dnsResolverOutboundEndpoints'),
  ];
  const found = resolve(context, outbound, 'networkInterface', 'dnsOutboundEndpoint');
  const properties = { forwardingRules, virtualNetworks, ...(found && { outboundEndpoint: { id: found.id } }) };
  return { ...baseOf(entry, TYPE_OF_KIND.dnsForwardingRuleset), properties };
}

/** NICs whose guest answers DNS: the emulator's own property `dnsServer`, and inbound endpoints. */
function readServers(context: InputContext): DnsServer[] {
  const { catalogue } = context;
  const inbound = catalogue.ofKind('dnsResolver').flatMap((resolver) =>
    catalogue.childrenOf(resolver, 'dnsInboundEndpoint').map((entry): DnsServer => {
      return { nic: { id: entry.id }, forward: 'azure', conditional: [], records: [] };
    }),
  );
  const own = catalogue.ofKind('networkInterface').flatMap((nic): DnsServer[] => {
    const server = nic.fields.has('dnsServer') ? nic.fields.child('dnsServer') : undefined;
    if (server === undefined) return [];
    const conditional = membersOf(server, 'conditional').map(([suffix, value]) => ({
      suffix,
      forward: forwardOf(value),
    }));
    const records = membersOf(server, 'records').flatMap(([name, value]) => plainRecords(name, value));
    return [{ nic: { id: nic.id }, forward: forwardOf(server.value('forward')), conditional, records }];
  });
  return [...own, ...inbound];
}

function forwardOf(value: unknown): DnsServer['forward'] {
  if (value === 'root') return 'root';
  return Array.isArray(value) ? value.map(String) : 'azure';
}

function membersOf(fields: Fields, name: string): [string, unknown][] {
  return Object.entries(fields.has(name) ? (fields.child(name)?.object ?? {}) : {});
}

function readPublicRecord(entry: Entry): PublicDnsRecord[] {
  return plainRecords(entry.fields.text('fqdn') ?? entry.name, entry.fields.value('values'));
}

/**
 * Records of a topology: an address or a list of addresses, or values by type. What is neither IPv4 nor IPv6 stays as
 * it is written; validation judges it.
 */
export function plainRecords(name: string, value: unknown): PublicDnsRecord[] {
  const list = (item: unknown): string[] => (Array.isArray(item) ? item : [item]).map(String);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return Object.entries(value).flatMap(([key, values]) => {
      const type = TYPES.find((known) => known === key.toUpperCase());
      return type === undefined || values === undefined ? [] : [{ name, type, values: list(values) }];
    });
  }
  const values = list(value);
  const six = values.filter((text) => text.includes(':'));
  const four = values.filter((text) => !text.includes(':'));
  return [
    ...(four.length > 0 ? [{ name, type: 'A' as const, values: four }] : []),
    ...(six.length > 0 ? [{ name, type: 'AAAA' as const, values: six }] : []),
  ];
}
