// Private DNS zones, links, zone groups and rulesets (DNS-1, DNS-2, DNS-17, DNS-20 to DNS-22, LIM-26). What Azure
// refuses is an error; what it accepts and nobody means is a warning.

import {
  FORWARDING_RULES_MAX,
  REGISTRATION_ZONES_PER_VNET_MAX,
  ZONE_GROUPS_PER_ENDPOINT_MAX,
  ZONE_LABELS_MAX,
  ZONE_LABELS_MIN,
  ZONES_PER_GROUP_MAX,
} from '../../abi/limits.ts';
import { tryParseIpv4 } from '../../wire/address.ts';
import { parseIpv6 } from '../../wire/address6.ts';
import { isDnsName } from '../../wire/dns.ts';
import { nameKey } from '../dns/names.ts';
import {
  isRecommendedZone,
  privateLinkAlias,
  recommendedZones,
  recordIn,
  SERVICE_ZONES,
} from '../dns/resource-types.ts';
import { hostNamesOf, namesOfEndpoint } from '../dns/zones.ts';
import { idKey } from '../model/resources.ts';
import { suggest } from '../input/suggestions.ts';
import { nameOfId, resolve } from './context.ts';
import type { DnsForwardingRuleset, DnsRecordType, PrivateDnsZone, PrivateDnsZoneGroup } from '../model/dns.ts';
import type { PrivateEndpoint } from '../model/resources.ts';
import type { Place, ValidationContext } from './context.ts';

const AZURE_DNS = '168.63.129.16';

export function checkDns(context: ValidationContext): void {
  const { network } = context;
  for (const zone of network.privateDnsZones) {
    checkZoneName(context, zone);
    checkLinks(context, zone);
    checkRecords(context, zone);
  }
  checkRegistration(context);
  checkSameNames(context);
  for (const endpoint of network.privateEndpoints) checkGroups(context, endpoint);
  checkOverwrites(context);
  for (const ruleset of network.dnsForwardingRulesets) checkRuleset(context, ruleset);
  checkServers(context);
  for (const record of network.publicDnsRecords) {
    checkValues(context, record, { path: `publicDns.${record.name}` });
  }
}

function zonePlace(zone: PrivateDnsZone, part = '', source = zone.source): Place {
  return { path: `privateDnsZones.${zone.name}${part}`, source };
}

function checkZoneName(context: ValidationContext, zone: PrivateDnsZone): void {
  const labels = nameKey(zone.name).split('.');
  if (labels.length < ZONE_LABELS_MIN || labels.length > ZONE_LABELS_MAX || !isDnsName(zone.name)) {
    const count = `${labels.length} ${labels.length === 1 ? 'label' : 'labels'}`;
    const message = `'${zone.name}' with ${count} cannot be a private DNS zone (Azure: InvalidZoneName)`;
    const hint = `use ${ZONE_LABELS_MIN} to ${ZONE_LABELS_MAX} labels of 1 to 63 characters`;
    context.report('ZONE_NAME_INVALID', zonePlace(zone), message, hint);
    return;
  }
  if (labels.includes('privatelink')) checkPrivateLinkName(context, zone);
  else checkHiddenNames(context, zone);
}

// `privatelink.database.window.net` is a fine zone that no alias ever leads to; `privatelink.site` is meant (SQLMI-22).
function checkPrivateLinkName(context: ValidationContext, zone: PrivateDnsZone): void {
  if (isRecommendedZone(zone.name)) return;
  const aliases = hostsOf(context).map(({ host, type }) => privateLinkAlias(host, type));
  const used = aliases.map((alias) => alias.slice(alias.indexOf('.') + 1));
  const nearest = suggest(nameKey(zone.name), [...used, ...RECOMMENDED_NAMES]);
  if (nearest === undefined || nameKey(nearest) === nameKey(zone.name)) return;
  const message = `no alias of a service leads into the zone '${zone.name}': no service that is listed uses it`;
  context.report('ZONE_NAME_NOT_RECOMMENDED', zonePlace(zone), message, `did you mean ${nearest}?`, 'warning');
}

// DNS-10, DNS-15: a zone of the public suffix answers for every resource below it, also for those of other people.
function checkHiddenNames(context: ValidationContext, zone: PrivateDnsZone): void {
  const hidden = hostsOf(context).find(({ host }) => host.endsWith(`.${nameKey(zone.name)}`));
  if (zone.properties.virtualNetworkLinks.length === 0 || hidden === undefined) return;
  const alias = privateLinkAlias(hidden.host, hidden.type);
  const message = `the zone '${zone.name}' hides every public name below it, '${hidden.host}' for example`;
  const hint = `name it ${alias.slice(alias.indexOf('.') + 1)}: public names are aliases into that zone`;
  context.report('ZONE_HIDES_SERVICE', zonePlace(zone), message, hint, 'warning');
}

function hostsOf(context: ValidationContext): { readonly host: string; readonly type: string }[] {
  const services = context.network.privateLinkResources;
  return services.flatMap((service) => hostNamesOf(service).map((host) => ({ host, type: service.type })));
}

const RECOMMENDED_NAMES = SERVICE_ZONES.flatMap((row) => row.zones.map((entry) => entry.zone)).filter(
  (name) => !name.includes('{'),
);

function checkLinks(context: ValidationContext, zone: PrivateDnsZone): void {
  const seen = new Set<string>();
  for (const link of zone.properties.virtualNetworkLinks) {
    const { virtualNetwork, resolutionPolicy } = link.properties;
    const place = zonePlace(zone, `.links.${link.name}`, link.source);
    const vnet = nameOfId(virtualNetwork.id);
    if (seen.has(idKey(virtualNetwork.id))) {
      const message = `zone '${zone.name}' is linked to '${vnet}' twice (Azure: VirtualNetworkLinkAlreadyExists)`;
      context.report('ZONE_LINK_DUPLICATE', place, message, 'keep one of the links');
    }
    seen.add(idKey(virtualNetwork.id));
    if (resolutionPolicy !== 'NxDomainRedirect' || nameKey(zone.name).split('.').includes('privatelink')) continue;
    const message = `the link of '${zone.name}' to '${vnet}' has NxDomainRedirect: only privatelink zones may have it`;
    context.report('ZONE_LINK_POLICY', place, message, 'use the policy Default');
  }
}

function checkRegistration(context: ValidationContext): void {
  const zones = new Map<string, string[]>();
  for (const zone of context.network.privateDnsZones) {
    for (const link of zone.properties.virtualNetworkLinks) {
      if (!link.properties.registrationEnabled) continue;
      const key = idKey(link.properties.virtualNetwork.id);
      const names = [...(zones.get(key) ?? []), zone.name];
      zones.set(key, names);
      if (names.length <= REGISTRATION_ZONES_PER_VNET_MAX) continue;
      const vnet = nameOfId(link.properties.virtualNetwork.id);
      const message = `the machines of '${vnet}' would register in ${names.join(' and ')}; one zone is allowed`;
      const hint = 'enable registration on one link of the network';
      context.report('ZONE_REGISTRATION_LIMIT', zonePlace(zone, `.links.${link.name}`, link.source), message, hint);
    }
  }
}

function checkSameNames(context: ValidationContext): void {
  const zones = new Map<string, PrivateDnsZone>();
  for (const zone of context.network.privateDnsZones) {
    for (const link of zone.properties.virtualNetworkLinks) {
      const key = `${nameKey(zone.name)} ${idKey(link.properties.virtualNetwork.id)}`;
      const earlier = zones.get(key);
      zones.set(key, earlier ?? zone);
      if (earlier === undefined || earlier === zone) continue;
      const vnet = nameOfId(link.properties.virtualNetwork.id);
      const message = `'${vnet}' is linked to two zones named '${zone.name}' (Azure: overlapping namespaces)`;
      const place = zonePlace(zone, `.links.${link.name}`, link.source);
      context.report('ZONE_LINK_SAME_NAME', place, message, 'link one of them');
    }
  }
}

function checkRecords(context: ValidationContext, zone: PrivateDnsZone): void {
  const aliases = new Set<string>();
  for (const { name, properties } of zone.properties.recordSets) {
    if (properties.type === 'CNAME') aliases.add(nameKey(name));
  }
  for (const set of zone.properties.recordSets) {
    const place = zonePlace(zone, `.records.${set.name}`, set.source);
    const isRelative = set.name === '@' || isDnsName(set.name);
    if (!isRelative) {
      const hint = 'write a relative name, @ for the zone itself, or * for any';
      context.report('ZONE_RECORD_INVALID', place, `'${set.name}' is not a record name`, hint);
    }
    checkValues(context, { name: set.name, ...set.properties }, place);
    const isConflict = aliases.has(nameKey(set.name)) && set.properties.type !== 'CNAME';
    if (!isConflict && !(set.properties.type === 'CNAME' && set.name === '@')) continue;
    const message = `'${set.name}' of zone '${zone.name}' cannot have a CNAME record beside others`;
    context.report('ZONE_RECORD_CONFLICT', place, message, 'keep the CNAME record alone, or remove it');
  }
}

interface Values {
  readonly name: string;
  readonly type: DnsRecordType;
  readonly values: readonly string[];
}

function checkValues(context: ValidationContext, { name, type, values }: Values, place: Place): void {
  if (values.length > 1 && type === 'CNAME') {
    const message = `'${name}' has ${values.length} CNAME records; a name has one`;
    context.report('ZONE_RECORD_CONFLICT', place, message, 'keep one');
  }
  for (const value of values) {
    if (isValueOf(type, value)) continue;
    const message = `'${name}': '${value}' is no value for a record of type ${type}`;
    context.report('ZONE_RECORD_INVALID', place, message, `write ${EXAMPLES[type]}`);
  }
}

const EXAMPLES: Readonly<Record<DnsRecordType, string>> = {
  A: 'an IPv4 address',
  AAAA: 'an IPv6 address',
  CNAME: 'a name',
  PTR: 'a name',
  TXT: 'a text of at most 1024 characters',
  MX: '10 mail.example.com',
  SRV: '0 5 5060 sip.example.com',
  SOA: 'host, mail address and five numbers',
};

function isValueOf(type: DnsRecordType, value: string): boolean {
  switch (type) {
    case 'A':
      return tryParseIpv4(value) !== undefined;
    case 'AAAA':
      return isIpv6(value);
    case 'CNAME':
    case 'PTR':
      return isDnsName(value);
    case 'TXT':
      return value.length <= 1024;
    default: {
      const parts = value.split(/\s+/);
      const numbers = type === 'MX' ? [0] : type === 'SRV' ? [0, 1, 2] : [2, 3, 4, 5, 6];
      const names = type === 'MX' ? [1] : type === 'SRV' ? [3] : [0, 1];
      return (
        parts.length === numbers.length + names.length &&
        numbers.every((index) => /^\d{1,10}$/.test(parts[index] ?? '')) &&
        names.every((index) => isDnsName(parts[index] ?? ''))
      );
    }
  }
}

function isIpv6(text: string): boolean {
  try {
    parseIpv6(text);
    return true;
  } catch {
    return false;
  }
}

function checkGroups(context: ValidationContext, endpoint: PrivateEndpoint): void {
  const groups = context.network.privateDnsZoneGroups.filter(
    (group) => idKey(group.properties.privateEndpoint.id) === idKey(endpoint.id),
  );
  const place = { path: `privateEndpoints.${endpoint.name}`, source: endpoint.source };
  if (groups.length > ZONE_GROUPS_PER_ENDPOINT_MAX) {
    const message = `private endpoint '${endpoint.name}' has ${groups.length} zone groups; one is allowed`;
    context.report('ZONE_GROUPS_LIMIT', place, message, 'put the zones into one group');
  }
  for (const group of groups) checkGroup(context, endpoint, group);
}

function checkGroup(context: ValidationContext, endpoint: PrivateEndpoint, group: PrivateDnsZoneGroup): void {
  const { privateDnsZones } = group.properties;
  const place = {
    path: `privateEndpoints.${endpoint.name}.privateDnsZoneGroups.${group.name}`,
    source: group.source ?? endpoint.source,
  };
  if (privateDnsZones.length > ZONES_PER_GROUP_MAX) {
    const message = `the zone group of '${endpoint.name}' names ${privateDnsZones.length} zones; five are allowed`;
    context.report('ZONE_GROUP_ZONES_LIMIT', place, message, 'remove zones that the service does not need');
  }
  const names = privateDnsZones.map((zone) => nameOfId(zone.id));
  const twice = names.find((name, index) => names.findIndex((other) => nameKey(other) === nameKey(name)) !== index);
  if (twice !== undefined) {
    const message = `the zone group of '${endpoint.name}' names '${twice}' twice`;
    context.report('ZONE_GROUP_ZONE_DUPLICATE', place, message, 'name each zone once');
  }
  for (const reference of privateDnsZones) checkGroupZone(context, endpoint, reference.id, place);
}

// DNS-22: the automation writes into any zone, but only names of the recommended ones are ever asked for.
function checkGroupZone(context: ValidationContext, endpoint: PrivateEndpoint, zoneId: string, place: Place): void {
  const zone = context.network.privateDnsZones.find((entry) => idKey(entry.id) === idKey(zoneId));
  const { privateLinkServiceConnections, manualPrivateLinkServiceConnections } = endpoint.properties;
  const [connection] = [...privateLinkServiceConnections, ...manualPrivateLinkServiceConnections];
  if (zone === undefined || connection === undefined) return;
  const { privateLinkServiceId, groupIds } = connection.properties;
  const service = resolve(context.services, { id: privateLinkServiceId });
  const wanted = service === undefined ? undefined : recommendedZones(service.type, groupIds[0]);
  const hosts = namesOfEndpoint(context.network, endpoint);
  const isUsed = hosts.some(({ host }) => recordIn(zone.name, host) !== undefined);
  if (wanted === undefined || wanted.length === 0 || hosts.length === 0 || isUsed) return;
  const [first] = hosts;
  const message =
    `the zone group of '${endpoint.name}' writes nothing into '${zone.name}': ` +
    `'${first?.host ?? ''}' does not belong into that zone`;
  const hint = `use ${wanted.map((entry) => entry.zone).join(' or ')}`;
  context.report('ZONE_GROUP_ZONE_NAME', place, message, hint, 'warning');
}

function checkOverwrites(context: ValidationContext): void {
  const writers = new Map<string, PrivateEndpoint>();
  for (const group of context.network.privateDnsZoneGroups) {
    const endpoint = resolve(context.endpoints, group.properties.privateEndpoint);
    if (endpoint === undefined) continue;
    for (const { host } of namesOfEndpoint(context.network, endpoint)) {
      for (const reference of group.properties.privateDnsZones) {
        if (recordIn(nameOfId(reference.id).split('@')[0] ?? '', host) === undefined) continue;
        const key = `${idKey(reference.id)} ${host}`;
        const earlier = writers.get(key);
        writers.set(key, endpoint);
        if (earlier === undefined || earlier === endpoint) continue;
        const message = `'${endpoint.name}' replaces the record of '${earlier.name}' for '${host}' (PE-40)`;
        const place = { path: `privateEndpoints.${endpoint.name}`, source: group.source ?? endpoint.source };
        context.report('ZONE_GROUP_OVERWRITES', place, message, 'let one endpoint per service write a zone', 'warning');
      }
    }
  }
}

function checkRuleset(context: ValidationContext, ruleset: DnsForwardingRuleset): void {
  const { forwardingRules, outboundEndpoint } = ruleset.properties;
  const place = { path: `dnsForwardingRulesets.${ruleset.name}`, source: ruleset.source };
  if (forwardingRules.length > FORWARDING_RULES_MAX) {
    const message = `ruleset '${ruleset.name}' has ${forwardingRules.length} rules; 1,000 are allowed`;
    context.report('RULESET_RULES_LIMIT', place, message, 'split it');
  }
  for (const rule of forwardingRules) {
    const { targetDnsServers, domainName } = rule;
    if (targetDnsServers.length > 0 && !targetDnsServers.includes(AZURE_DNS)) continue;
    const what = targetDnsServers.length === 0 ? 'to no server' : `to ${AZURE_DNS}`;
    const message = `the rule for '${domainName}' of ruleset '${ruleset.name}' sends ${what}`;
    const hint = 'send to a DNS server that can be reached from the outbound endpoint';
    context.report('RULESET_TARGET', { ...place, path: `${place.path}.rules.${rule.name}` }, message, hint);
  }
  if (outboundEndpoint !== undefined) return;
  const message = `ruleset '${ruleset.name}' has no outbound endpoint: what it forwards is not answered`;
  context.report('RULESET_OUTBOUND', place, message, 'name the interface that sends', 'warning');
}

function checkServers(context: ValidationContext): void {
  for (const server of context.network.dnsServers) {
    const nic = resolve(context.interfaces, server.nic);
    if (nic === undefined) continue;
    const place = { path: `networkInterfaces.${nic.name}.dnsServer`, source: nic.source };
    const own = nic.properties.ipConfigurations.map((entry) => entry.properties.privateIPAddress);
    const targets = [server.forward, ...server.conditional.map((rule) => rule.forward)].filter(
      (forward) => typeof forward !== 'string',
    );
    if (targets.some((list) => list.some((address) => own.includes(address)))) {
      const message = `the DNS server '${nic.name}' forwards to itself`;
      context.report('DNS_SERVER_ADDRESS', place, message, 'forward to azure, root, or other servers');
    }
    for (const record of server.records) checkValues(context, record, place);
  }
}
