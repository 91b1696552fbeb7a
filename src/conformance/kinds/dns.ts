// Kind `dns`: the answer to one question, asked and answered in frames (DNS). Every network that the case names becomes
// one of its own with a client; the server of `via` stands in its network and is reached by peering.

import { z } from 'zod';
import { addressesOf } from '../../control/dns/resolve.ts';
import { readNetworkValue } from '../../control/input/read.ts';
import { hasErrors, InputError } from '../../control/issues.ts';
import { validateNetwork } from '../../control/validate/validate.ts';
import { resolveName } from '../../scenario/resolution.ts';
import { LiveNetwork } from '../live.ts';
import { judgeExpect } from '../kind.ts';
import { parsePart } from '../notation.ts';
import type { Behaviour } from '../../control/model/profile.ts';
import type { Network } from '../../control/model/resources.ts';
import type { CaseOutcome } from '../compare.ts';
import type { CaseInput, Kind } from '../kind.ts';

const texts = z.union([z.string(), z.array(z.string())]);
const values = z.strictObject({
  a: texts.optional(),
  aaaa: texts.optional(),
  cname: z.string().optional(),
  txt: texts.optional(),
  ptr: texts.optional(),
});
const records = z.record(z.string(), z.union([texts, values]));
const link = z.union([
  z.enum(['Default', 'NxDomainRedirect']),
  z.strictObject({
    registrationEnabled: z.boolean().optional(),
    resolutionPolicy: z.enum(['Default', 'NxDomainRedirect']).optional(),
  }),
]);
const caseSchema = z.strictObject({
  public: records.optional(),
  zones: z
    .array(
      z.strictObject({
        name: z.string(),
        links: z.record(z.string(), link).optional(),
        records: records.optional(),
        zoneGroupWrites: z.array(z.record(z.string(), z.string())).optional(),
      }),
    )
    .optional(),
  query: z.strictObject({
    vnet: z.string(),
    name: z.string(),
    type: z.enum(['A', 'AAAA', 'CNAME', 'TXT', 'PTR']).optional(),
    via: z
      .strictObject({
        serverVnet: z.string(),
        forward: z.union([z.enum(['azure', 'root']), z.string(), z.array(z.string())]).optional(),
      })
      .optional(),
  }),
});
type DnsCase = z.infer<typeof caseSchema>;

export const dns: Kind = { run: runQuestion, judge: judgeExpect() };

function runQuestion({ fields, behaviour }: CaseInput): CaseOutcome {
  const question = parsePart(caseSchema, fields, 'case');
  const network = networkOf(question, behaviour);
  const { session } = new LiveNetwork(network, behaviour);
  const { name, type, vnet } = question.query;
  const found = resolveName(session.simulation, session.sender(clientOf(vnet)), name, { type });
  session.simulation.checkBalance();
  const { status, chain, addresses } = found;
  const answers = addresses.map((value) => ({ name, type: found.type, ttl: 0, value }));
  const [a] = addressesOf(answers, 'A');
  const [aaaa] = addressesOf(answers, 'AAAA');
  const others = found.type === 'A' || found.type === 'AAAA' ? {} : { values: addresses };
  return { status, chain, ...(a !== undefined && { a }), ...(aaaa !== undefined && { aaaa }), ...others };
}

const SERVER = 'dns-server';

function clientOf(vnet: string): string {
  return `client-${vnet}`;
}

/** A short topology of the case. Throws InputError when it is refused. */
function networkOf(question: DnsCase, behaviour: Behaviour): Network {
  const { query, zones = [] } = question;
  const linked = zones.flatMap((zone) => Object.keys(zone.links ?? {}));
  const { via } = query;
  const names = [...new Set([query.vnet, ...linked, ...(via === undefined ? [] : [via.serverVnet])])];
  const space = (name: string): string => `10.${names.indexOf(name)}`;
  const server = via && `${space(via.serverVnet)}.0.53`;
  const subnets = (name: string): object => ({ clients: { addressPrefix: `${space(name)}.0.0/24` } });
  const isRemote = via !== undefined && via.serverVnet !== query.vnet;
  const networks = names.map((name) => {
    const servers = name === query.vnet && server !== undefined ? { dnsServers: server } : {};
    return [name, { addressSpace: `${space(name)}.0.0/16`, subnets: subnets(name), ...servers }];
  });
  const clients = names.map((name) => {
    return [clientOf(name), { subnet: `${name}/clients`, privateIPAddress: `${space(name)}.0.4` }];
  });
  const endpoints = endpointsOf(zones);
  const topology = {
    virtualNetworks: { ...Object.fromEntries(networks), ...endpoints.virtualNetworks },
    networkInterfaces: { ...Object.fromEntries(clients), ...(via && { [SERVER]: serverNic(via, server ?? '') }) },
    ...(isRemote && { peerings: [{ between: [query.vnet, via.serverVnet] }] }),
    publicDns: question.public ?? {},
    privateDnsZones: Object.fromEntries(
      zones.map(({ name, links = {}, records: own = {} }, index) => [`${name}@${index}`, { links, records: own }]),
    ),
    services: endpoints.services,
    privateEndpoints: endpoints.privateEndpoints,
  };
  const { network, issues } = readNetworkValue(topology, 'case', { behaviour });
  const found = network === undefined ? issues : [...issues, ...validateNetwork(network, behaviour)];
  if (network === undefined || hasErrors(found)) throw new InputError(found);
  return network;
}

function serverNic(via: NonNullable<DnsCase['query']['via']>, address: string): object {
  const { forward = 'azure', serverVnet } = via;
  const isWord = forward === 'azure' || forward === 'root' || Array.isArray(forward);
  return {
    subnet: `${serverVnet}/clients`,
    privateIPAddress: address,
    publicIPAddress: '20.30.40.50',
    dnsServer: { forward: isWord ? forward : [forward] },
  };
}

/** Every write of a zone group is an endpoint at that address, in a network around it (DNS-20). */
function endpointsOf(zones: NonNullable<DnsCase['zones']>): {
  readonly virtualNetworks: object;
  readonly services: object;
  readonly privateEndpoints: object;
} {
  const virtualNetworks: Record<string, object> = {};
  const services: Record<string, object> = {};
  const privateEndpoints: Record<string, object> = {};
  for (const [index, zone] of zones.entries()) {
    const suffix = zone.name.replace(/(^|\.)privatelink\./, '$1');
    for (const [write, records_] of (zone.zoneGroupWrites ?? []).entries()) {
      for (const [relative, address] of Object.entries(records_)) {
        const key = `${index}-${write}-${relative.replaceAll('.', '-')}`;
        const prefix = `${address.split('.').slice(0, 2).join('.')}.0.0/16`;
        virtualNetworks[`net-${key}`] = { addressSpace: prefix, subnets: { endpoints: { addressPrefix: prefix } } };
        services[`service-${key}`] = { type: 'Microsoft.Sql/servers', hostNames: `${relative}.${suffix}` };
        privateEndpoints[`pe-${key}`] = {
          subnet: `net-${key}/endpoints`,
          privateIPAddress: address,
          service: `service-${key}`,
          privateDnsZones: [`${zone.name}@${index}`],
        };
      }
    }
  }
  return { virtualNetworks, services, privateEndpoints };
}
