// The benchmark's network: one virtual network with clients, a subnet of private endpoints that lead to SQL Managed
// Instances, and rule lists of a chosen length on both gates of the clients. Compiled by the product's own compiler.

import { compileNetwork, createRegistry } from '../control/compile/compile.ts';
import type { Compiled } from '../control/compile/compiled.ts';
import { readNetworkValue } from '../control/input/read.ts';
import { hasErrors, InputError } from '../control/issues.ts';
import { behaviourOf } from '../control/model/profile.ts';
import type { Network } from '../control/model/resources.ts';
import { Random } from './random.ts';

/** How large the benchmark's network is. */
export interface NetworkSize {
  readonly clients: number;
  readonly endpoints: number;
  /** User rules of each of the two groups that the clients stand behind. */
  readonly rules: number;
  /** Prefixes in each group's rules, in all. */
  readonly prefixes: number;
  readonly seed: number;
}

/** First client address 10.0.16.4; endpoints from 10.0.0.4; services from 192.0.2.1. */
export const CLIENT_FIRST = 0x0a00_1004;
export const ENDPOINT_FIRST = 0x0a00_0004;
export const SERVICE_FIRST = 0xc000_0201;

/** The network as a topology.yaml value would describe it. */
export function benchTopology(size: NetworkSize): Record<string, unknown> {
  const nics: Record<string, unknown> = {};
  for (let i = 0; i < size.clients; i++)
    nics[`client${i}`] = { subnet: 'vnet/clients', privateIPAddress: text(CLIENT_FIRST + i) };
  const services: Record<string, unknown> = {};
  const endpoints: Record<string, unknown> = {};
  for (let i = 0; i < size.endpoints; i++) {
    services[`mi${i}`] = { type: 'Microsoft.Sql/managedInstances', backendAddress: `192.0.2.${i + 1}`, ports: [1433] };
    endpoints[`pe${i}`] = { subnet: 'vnet/endpoints', privateIPAddress: text(ENDPOINT_FIRST + i), service: `mi${i}` };
  }
  return {
    virtualNetworks: {
      vnet: {
        addressSpace: ['10.0.0.0/16'],
        subnets: {
          endpoints: {
            addressPrefix: '10.0.0.0/20',
            networkSecurityGroup: 'endpoint-nsg',
            privateEndpointNetworkPolicies: 'NetworkSecurityGroupEnabled',
          },
          clients: { addressPrefix: '10.0.16.0/20', networkSecurityGroup: 'client-nsg' },
        },
      },
    },
    networkInterfaces: nics,
    services,
    privateEndpoints: endpoints,
    networkSecurityGroups: {
      'client-nsg': { rules: rules('Outbound', size, size.seed) },
      'endpoint-nsg': { rules: rules('Inbound', size, size.seed + 1) },
    },
  };
}

/** Deny rules that never match the benchmark's packets, and as the last one the rule that lets them pass: the
 * classifier has to look at all of them. */
function rules(direction: 'Inbound' | 'Outbound', size: NetworkSize, seed: number): Record<string, unknown>[] {
  const random = new Random(seed);
  const list: Record<string, unknown>[] = [];
  const perRule = Math.max(1, Math.floor(size.prefixes / Math.max(1, size.rules)));
  for (let i = 0; i < size.rules - 1; i++) {
    const prefixes = Array.from({ length: perRule }, () => randomPrefix(random));
    const port = 1 + random.below(1400);
    list.push({
      name: `rule${i}`,
      priority: 100 + i,
      direction,
      access: i % 3 === 0 ? 'Deny' : 'Allow',
      protocol: i % 5 === 0 ? '*' : 'Tcp',
      source: direction === 'Inbound' ? prefixes : '*',
      destination: direction === 'Inbound' ? '*' : prefixes,
      destinationPorts: [`${port}-${port + random.below(30)}`],
    });
  }
  list.push({
    name: 'AllowSql',
    priority: 100 + size.rules,
    direction,
    access: 'Allow',
    protocol: 'Tcp',
    source: 'VirtualNetwork',
    destination: '10.0.0.0/20',
    destinationPorts: [1433],
  });
  return list;
}

// Half of the prefixes lie in the network itself, half anywhere.
function randomPrefix(random: Random): string {
  const length = 20 + random.below(13);
  const base = random.below(2) === 0 ? 0x0a00_0000 + random.below(1 << 16) : random.next();
  const mask = length === 32 ? 0xffff_ffff : ~((1 << (32 - length)) - 1) >>> 0;
  return `${text((base & mask) >>> 0)}/${length}`;
}

function text(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.');
}

/** Reads the benchmark's network. */
export function benchNetwork(size: NetworkSize): Network {
  const { network, issues } = readNetworkValue(benchTopology(size), 'bench');
  if (network === undefined || hasErrors(issues)) throw new InputError(issues);
  return network;
}

/** Compiles it from scratch. */
export function benchCompiled(network: Network, epoch = 1): Compiled {
  return compileNetwork(network, behaviourOf(), { epoch, registry: createRegistry() });
}
