// The network of the rehearsal (rehearsal.ts): small, and with one of everything that the data plane treats apart. Two
// programs of it: the second one changes rules, exchanges public addresses and lacks an interface.

import type { Program } from '../../abi/program.ts';
import { compileNetwork, createRegistry } from '../compile/compile.ts';
import type { Compiled } from '../compile/compiled.ts';
import { readNetworkValue } from '../input/read.ts';
import { InputError, hasErrors } from '../issues.ts';
import { behaviourOf } from '../model/profile.ts';

/** Attachment ids of the network. */
export interface Places {
  /** By name of the interface. */
  readonly nics: Readonly<Record<NicName, number>>;
  /** Service side of the approved endpoint. */
  readonly provider: number;
  readonly internet: number;
  readonly platform: number;
  readonly service: number;
  readonly onPremises: number;
}

export type NicName = keyof typeof NICS;

export interface RehearsalNetwork {
  readonly places: Places;
  readonly first: Program;
  readonly second: Program;
}

const NICS = {
  client: { subnet: 'hub/clients', privateIPAddress: '172.16.1.4' },
  other: { subnet: 'hub/clients', privateIPAddress: '172.16.1.5' },
  leaver: { subnet: 'hub/clients', privateIPAddress: '172.16.1.6' },
  second: { subnet: 'hub/more', privateIPAddress: '172.16.4.4' },
  appliance: { subnet: 'hub/open', privateIPAddress: '172.16.3.4', enableIPForwarding: true },
  plain: { subnet: 'hub/open', privateIPAddress: '172.16.3.5', publicIPAddress: '20.0.0.4', mtu: 4000 },
  web: {
    subnet: 'hub/open',
    privateIPAddress: '172.16.3.6',
    publicIPAddress: '20.0.0.5',
    networkSecurityGroup: 'gate',
  },
  worker: { subnet: 'spoke/work', privateIPAddress: '10.1.0.4' },
  twin: { subnet: 'twin/work', privateIPAddress: '10.1.0.4' },
} as const;

/** Compiles both programs. */
export function createRehearsalNetwork(): RehearsalNetwork {
  const registry = createRegistry();
  const taps = { attachments: new Set(['client', 'appliance']), endpoints: new Set<string>() };
  const compile = (epoch: number, previous?: Compiled): Compiled => {
    const { network, issues } = readNetworkValue(topologyOf(epoch), 'rehearsal');
    if (network === undefined || hasErrors(issues)) throw new InputError(issues);
    return compileNetwork(network, behaviourOf(), { epoch, registry, taps, ...(previous && { previous }) });
  };
  const first = compile(1);
  return { places: placesOf(first), first: first.program, second: compile(2, first).program };
}

function topologyOf(epoch: number): unknown {
  const { leaver, ...staying } = NICS;
  const subnet = (addressPrefix: string, more: object = {}): object => ({ addressPrefix, ...more });
  return {
    virtualNetworks: {
      hub: {
        addressSpace: ['172.16.0.0/16'],
        dnsServers: ['172.16.1.5'],
        gateway: { type: 'Vpn', learnedRoutes: ['192.168.0.0/16'] },
        subnets: {
          endpoints: subnet('172.16.0.0/24', {
            networkSecurityGroup: 'gate',
            privateEndpointNetworkPolicies: 'Enabled',
          }),
          clients: subnet('172.16.1.0/24', { networkSecurityGroup: 'gate', natGateway: 'nat' }),
          open: subnet('172.16.3.0/24', { routeTable: 'detours', serviceEndpoints: ['20.60.0.0/16'] }),
          more: subnet('172.16.4.0/24', { natGateway: 'more' }),
        },
      },
      spoke: { addressSpace: ['10.1.0.0/16'], subnets: { work: subnet('10.1.0.0/24') } },
      twin: { addressSpace: ['10.1.0.0/16'], subnets: { work: subnet('10.1.0.0/24') } },
    },
    peerings: [{ between: ['hub', 'spoke'], hub: { allowForwardedTraffic: true } }],
    networkSecurityGroups: { gate: { flushConnection: true, rules: rulesOf(epoch) } },
    routeTables: {
      detours: {
        routes: [
          {
            name: 'detour',
            addressPrefix: '10.200.0.0/16',
            nextHopType: 'VirtualAppliance',
            nextHopIpAddress: '172.16.3.4',
          },
          {
            name: 'nobody',
            addressPrefix: '10.202.0.0/16',
            nextHopType: 'VirtualAppliance',
            nextHopIpAddress: '172.16.3.99',
          },
          { name: 'nowhere', addressPrefix: '10.201.0.0/16', nextHopType: 'None' },
        ],
      },
    },
    networkInterfaces: epoch === 1 ? { ...staying, leaver } : staying,
    natGateways: {
      nat: { publicIPAddresses: [epoch === 1 ? '20.0.0.9' : '20.0.0.8'] },
      more: { publicIPAddresses: [epoch === 1 ? '20.0.0.8' : '20.0.0.9'] },
    },
    services: {
      sql: { type: 'Microsoft.Sql/managedInstances', backendAddress: '192.0.2.1', ports: [1433] },
      late: { type: 'Microsoft.Sql/managedInstances', backendAddress: '192.0.2.2', ports: [1433] },
    },
    privateEndpoints: {
      pe: { subnet: 'hub/endpoints', privateIPAddress: '172.16.0.4', service: 'sql' },
      pending: {
        subnet: 'hub/endpoints',
        privateIPAddress: '172.16.0.5',
        service: 'late',
        approval: 'manual',
        state: 'Pending',
      },
    },
  };
}

function rulesOf(epoch: number): unknown[] {
  const deny = { access: 'Deny', protocol: 'Tcp', destinationPorts: epoch === 1 ? ['22'] : ['22', '8080-8090'] };
  return [
    { ...deny, name: 'NoSshOut', priority: 100, direction: 'Outbound' },
    { ...deny, name: 'NoSshIn', priority: 100, direction: 'Inbound' },
    {
      name: 'NoMetadata',
      priority: 110,
      direction: 'Outbound',
      access: 'Deny',
      protocol: '*',
      destination: 'AzurePlatformIMDS',
    },
    {
      name: 'Web',
      priority: 120,
      direction: 'Inbound',
      access: 'Allow',
      protocol: 'Tcp',
      source: 'Internet',
      sourcePorts: ['1024-65535'],
      destinationPorts: ['443'],
    },
  ];
}

function placesOf({ sideTable }: Compiled): Places {
  const find = (kind: string, name?: string): number => {
    const info = sideTable.attachments.find((entry) => entry?.kind === kind && (name ?? entry.name) === entry.name);
    if (info === undefined) throw new Error(`the rehearsal has no ${kind} ${name ?? ''}`);
    return info.attachment;
  };
  const nics = Object.fromEntries(Object.keys(NICS).map((name) => [name, find('nic', name)]));
  return {
    nics: nics as Record<NicName, number>,
    provider: find('provider', 'pe'),
    internet: find('internet'),
    platform: find('platform'),
    service: find('service'),
    onPremises: find('onPremises'),
  };
}
