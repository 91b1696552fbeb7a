// Private DNS zones, zone groups, forwarding rulesets and further public names of a topology, as resource objects.

import { derive } from '../places.ts';
import { plainRecords } from '../resources/dns-zones.ts';
import { TYPE_OF_KIND } from '../resources/resource-types.ts';
import { ownId } from './names.ts';
import { build, buildResource, refer, referAll } from './values.ts';
import type { PublicDnsRecord } from '../../model/dns.ts';
import type { At } from '../places.ts';
import type { Topology, TopologyEndpoint } from './schema.ts';
import type { ExpandContext, Member } from './values.ts';

type TopologyZone = NonNullable<Topology['privateDnsZones']>[string];
type TopologyRuleset = NonNullable<Topology['dnsForwardingRulesets']>[string];

/** `corp.example@b`: what follows the @ tells zones of one name apart (DNS-5). */
export function expandPrivateDnsZone(
  context: ExpandContext,
  name: string,
  member: TopologyZone,
  at: At,
): readonly object[] {
  const zoneId = ownId('privateDnsZone', name);
  const [zoneName = name] = name.split('@');
  const zone = build(at, {
    id: [zoneId],
    name: [zoneName, at],
    type: [TYPE_OF_KIND.privateDnsZone],
    location: ['global'],
  });
  const records = member.records ?? {};
  return [zone, ...expandLinks(context, zoneId, member), ...Object.entries(records).flatMap(recordSets)];

  function recordSets([relative, value]: [string, unknown]): object[] {
    const place = { object: records, key: relative };
    return plainRecords(relative, value).map((record) =>
      build(place, {
        id: [`${zoneId}/${record.type}/${relative}`],
        name: [relative],
        type: [`${TYPE_OF_KIND.privateDnsZone}/${record.type}`],
        ...azureValues(record, place),
      }),
    );
  }
}

function expandLinks(context: ExpandContext, zoneId: string, member: TopologyZone): object[] {
  const links = member.links ?? {};
  return Object.entries(links).flatMap(([network, value]) => {
    const place: At = { object: links, key: network };
    const id = context.names.find(network, { ...place, part: 'key' }, 'virtualNetwork');
    if (id === undefined) return [];
    const settings = typeof value === 'string' ? { resolutionPolicy: value } : value;
    return [
      build(place, {
        id: [`${zoneId}/virtualNetworkLinks/${network}`],
        name: [network],
        type: [TYPE_OF_KIND.dnsZoneLink],
        virtualNetwork: [derive({ id }, place)],
        registrationEnabled: [settings.registrationEnabled],
        resolutionPolicy: [settings.resolutionPolicy],
      }),
    ];
  });
}

/** The zone group of an endpoint of a topology (DNS-20): there is one, and its name does not matter. */
export function zoneGroups(context: ExpandContext, endpoint: TopologyEndpoint): Member {
  const zones = endpoint.privateDnsZones;
  if (zones === undefined) return undefined;
  const at: At = { object: endpoint, key: 'privateDnsZones' };
  const configs = zones.flatMap((zone, index) => {
    const place: At = { object: zones, key: index };
    const id = context.names.find(zone, place, 'privateDnsZone');
    return id === undefined ? [] : [build(place, { name: [zone], privateDnsZoneId: [id, place] })];
  });
  return [[build(at, { name: ['default'], privateDnsZoneConfigs: [derive(configs, at)] })]];
}

export function expandForwardingRuleset(
  context: ExpandContext,
  name: string,
  member: TopologyRuleset,
  at: At,
): readonly object[] {
  const rules = Object.entries(member.rules).map(([suffix, servers], index) => {
    const place: At = { object: member.rules, key: suffix };
    return build(place, {
      name: [`rule${index + 1}`],
      domainName: [suffix, { ...place, part: 'key' }],
      targetDnsServers: [servers, place],
    });
  });
  return [
    buildResource(context, 'dnsForwardingRuleset', name, at, {
      forwardingRules: [rules],
      virtualNetworks: referAll(context, member.networks, 'virtualNetwork'),
      outboundEndpoint: refer(context, member, 'outboundEndpoint', 'networkInterface'),
    }),
  ];
}

/** Names of the public name space beside those that services imply. */
export function expandPublicDns(topology: Topology): readonly object[] {
  const names = topology.publicDns ?? {};
  return Object.entries(names).map(([name, values]) => {
    const place: At = { object: names, key: name };
    const type = TYPE_OF_KIND.publicDnsRecord;
    const key = name.replaceAll('/', '%2F');
    return build(place, {
      id: [`/providers/Vnetem.Emulator/publicDnsRecords/${key}`],
      name: [key],
      type: [type],
      fqdn: [name],
      values: [values, place],
    });
  });
}

/** A record in the properties where Azure keeps values of its type. */
function azureValues({ type, values }: PublicDnsRecord, at: At): Record<string, Member> {
  const each = (list: string, ...keys: string[]): Record<string, Member> => {
    const objects = values.map((value) => {
      const parts = keys.length === 1 ? [value] : value.split(/\s+/);
      return derive(Object.fromEntries(keys.map((key, index) => [key, parts[index] ?? ''])), at);
    });
    return { [list]: [objects, at] };
  };
  switch (type) {
    case 'A':
      return each('aRecords', 'ipv4Address');
    case 'AAAA':
      return each('aaaaRecords', 'ipv6Address');
    case 'CNAME':
      return { cnameRecord: [derive({ cname: values[0] ?? '' }, at), at] };
    case 'TXT':
      return { txtRecords: [values.map((value) => derive({ value: [value] }, at)), at] };
    case 'PTR':
      return each('ptrRecords', 'ptrdname');
    case 'MX':
      return each('mxRecords', 'preference', 'exchange');
    default:
      return each('srvRecords', 'priority', 'weight', 'port', 'target');
  }
}
