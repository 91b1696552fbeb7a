// The shapes about SQL gateways: logins by name and address, redirection, what the service sees (SQLMI, PE-33).

import { z } from 'zod';
import { formatIpv4, tryParseIpv4 } from '../../../wire/address.ts';
import { decodePrelogin } from '../../../wire/tds.ts';
import { isManagedInstanceHost, parseDataSource } from '../../../control/diagnose/sql-host.ts';
import {
  DATABASE_SUFFIXES,
  SQL_MIRRORING_PORT,
  instanceAddress,
  instanceNames,
} from '../../../control/sql/instances.ts';
import type { Behaviour } from '../../../control/model/profile.ts';
import type { Network } from '../../../control/model/resources.ts';
import { validateNetwork } from '../../../control/validate/validate.ts';
import { StepProblem } from '../../../scenario/session.ts';
import { loginOf, traceSql } from '../../../scenario/steps/sql.ts';
import type { SqlConnection, SqlRun } from '../../../scenario/steps/sql.ts';
import type { CaseOutcome } from '../../compare.ts';
import { LiveNetwork, networkOfShort } from '../../live.ts';
import { shape } from '../../shape.ts';
import type { Shape } from '../../shape.ts';
import { CLIENT, ENDPOINT, databaseTopology, sqlTopology } from './sql-network.ts';
import type { SqlNetworkOptions } from './sql-network.ts';

const ENV_ROUTING = 20;
const port = z.number().int().min(0).max(65_535);
const connectionType = z.enum(['Proxy', 'Redirect', 'Default']);
const linkedTo = z.enum(['instanceVnet', 'endpointVnet', 'both']);
const zoneKeys = { zone: z.string().optional(), record: z.string().optional(), linkedTo: linkedTo.optional() };
const networkKeys = { sameVnet: z.boolean().optional(), vnetsPeered: z.boolean().optional() };

const prelogin = shape(z.strictObject({ preloginPayloadBase64: z.base64() }), ({ preloginPayloadBase64 }) => {
  const read = decodePrelogin(Uint8Array.from(Buffer.from(preloginPayloadBase64, 'base64')));
  const tokens = read?.tokens.map(({ token, offset, length }) => [token, offset, length]);
  return { tokens, encryption: read?.encryption };
});

const hosts = shape(z.strictObject({ hosts: z.array(z.string()) }), ({ hosts: texts }) => {
  return { isManagedInstance: texts.map((text) => isManagedInstanceHost(parseDataSource(text))) };
});

/** SQLMI-23: a zone of the instance's own name, and whether its nodes still reach themselves. */
const selfName = shape(
  z
    .strictObject({ ...networkKeys, ...zoneKeys, instance: z.string().optional() })
    .refine(({ zone, record }) => zone !== undefined || record !== undefined),
  (input, { behaviour }) => {
    const options = optionsOf(input);
    const network = networkOfShort(sqlTopology(options), behaviour);
    const isHijacked = validateNetwork(network, behaviour).some(({ code }) => code === 'MI_SELF_NAME_HIJACK');
    const live = new LiveNetwork(network, behaviour);
    const own = `${options.instance}.${options.dnsZone}.${DATABASE_SUFFIXES[0]}`;
    const isWell = reaches(live, `${options.instance}-node`, `${own}:${SQL_MIRRORING_PORT}`);
    return { finding: isHijacked ? 'MiSelfNameHijack' : null, managementOperations: isWell ? 'ok' : 'fail' };
  },
);

const login = shape(
  z
    .strictObject({
      ...networkKeys,
      ...zoneKeys,
      via: z.enum(['privateEndpoint', 'vnetLocal']).optional(),
      dataSource: z.string().optional(),
      instance: z.string().optional(),
      encrypt: z.boolean().optional(),
      trustServerCertificate: z.boolean().optional(),
      configuredConnectionType: connectionType.optional(),
      miNsgAllows: z.array(port).optional(),
    })
    .refine(({ via, dataSource }) => via !== undefined || dataSource !== undefined),
  (input, { behaviour }) => {
    const options = optionsOf(input);
    const network = networkOfShort(sqlTopology(options), behaviour);
    const { encrypt, trustServerCertificate } = input;
    const choices = given({ encrypt, trustServerCertificate });
    return runLogin(network, behaviour, { from: CLIENT, to: dataSourceOf(input, options, network), ...choices });
  },
);

const publicEndpoint = shape(
  z.strictObject({
    endpoint: z.literal('public'),
    enabled: z.boolean(),
    port,
    name: z.string(),
    nsgInbound3342: z.boolean(),
    configuredConnectionType: connectionType.optional(),
    encrypt: z.boolean().optional(),
    trustServerCertificate: z.boolean().optional(),
  }),
  ({ enabled, port: dstPort, name, nsgInbound3342, configuredConnectionType, ...choices }, { behaviour }) => {
    const [instance = ''] = name.split('.');
    const topology = sqlTopology({
      instance,
      dnsZone: zoneLabel(name.replace('.public.', '.')) ?? 'zone1',
      networks: 'separate',
      connectionType: configuredConnectionType,
      publicEndpoint: { enabled, allowed: nsgInbound3342 },
    });
    const value = { from: 'internet@203.0.113.7', to: `${name}:${dstPort}`, ...given(choices) };
    return runLogin(networkOfShort(topology, behaviour), behaviour, value);
  },
);

const clientAddress = shape(
  z.strictObject({
    clientVm: z.ipv4(),
    pe: z.ipv4(),
    service: z.enum(['SqlDatabase', 'SqlManagedInstance']),
    query: z.string(),
  }),
  ({ clientVm, pe, service, query }, { behaviour }) => {
    const isInstance = service === 'SqlManagedInstance';
    const type = isInstance ? 'Microsoft.Sql/managedInstances' : 'Microsoft.Sql/servers';
    const host = isInstance ? `mi1.zone1.${DATABASE_SUFFIXES[0]}` : `srv1.${DATABASE_SUFFIXES[0]}`;
    const network = networkOfShort(databaseTopology(clientVm, pe, type, host), behaviour);
    const { facts } = traceSql(new LiveNetwork(network, behaviour).session, { from: CLIENT, to: host, query });
    return { value: facts.told?.value, login: facts.told?.login };
  },
);

export const sqlShapes: readonly Shape[] = [prelogin, hosts, login, selfName, publicEndpoint, clientAddress];

/** Judges a port against the range that a case expects, first and last included. */
export function isWithinRange(expected: unknown, got: unknown): boolean {
  if (!Array.isArray(expected) || expected.length !== 2 || typeof got !== 'number') return false;
  const [first, last] = expected.map(Number);
  return first !== undefined && last !== undefined && got >= first && got <= last;
}

type NamesInput = Partial<{
  sameVnet: boolean | undefined;
  vnetsPeered: boolean | undefined;
  via: 'privateEndpoint' | 'vnetLocal' | undefined;
  zone: string | undefined;
  record: string | undefined;
  linkedTo: z.infer<typeof linkedTo> | undefined;
  dataSource: string | undefined;
  instance: string | undefined;
  configuredConnectionType: z.infer<typeof connectionType> | undefined;
  miNsgAllows: readonly number[] | undefined;
}>;

/** What a case leaves open follows from what it says: the instance has the name that is recorded or asked for. */
function optionsOf(input: NamesInput): SqlNetworkOptions {
  const { via, record, dataSource, configuredConnectionType, miNsgAllows } = input;
  const source = dataSource === undefined ? undefined : parseDataSource(dataSource).host;
  const isAddress = source !== undefined && tryParseIpv4(source) !== undefined;
  const named = isAddress ? undefined : source?.split('.')[0];
  const instance = input.instance ?? record ?? named ?? 'mi1';
  const dnsZone = zoneLabel(source ?? '') ?? zoneLabel(input.zone ?? '') ?? 'zone1';
  const standard = via === 'privateEndpoint' && source === undefined;
  const zone = input.zone ?? (standard ? `privatelink.${dnsZone}.${DATABASE_SUFFIXES[0]}` : undefined);
  return {
    instance,
    dnsZone,
    networks: networksOf(input),
    ...(isAddress && via !== 'vnetLocal' && { endpointAddress: source }),
    ...(zone !== undefined && {
      zone: { name: zone, record: record ?? instance, linkedTo: input.linkedTo ?? 'endpointVnet' },
    }),
    connectionType: configuredConnectionType,
    allowedPorts: miNsgAllows,
  };
}

/** Clients of the VNet-local endpoint stand in its network, those of an endpoint elsewhere, unless the case says so. */
function networksOf({ via, sameVnet, vnetsPeered }: NamesInput): SqlNetworkOptions['networks'] {
  if (sameVnet ?? (via === 'vnetLocal' && vnetsPeered === undefined)) return 'same';
  return vnetsPeered === true ? 'peered' : 'separate';
}

function dataSourceOf({ via, dataSource }: NamesInput, options: SqlNetworkOptions, network: Network): string {
  const isAddress = dataSource !== undefined && tryParseIpv4(parseDataSource(dataSource).host) !== undefined;
  if (isAddress && via === 'vnetLocal') return addressesOf(network).get('vnetLocalIp') ?? dataSource;
  return dataSource ?? `${options.instance}.${options.dnsZone}.${DATABASE_SUFFIXES[0]}`;
}

/** `zone1` of `mi1.zone1.database.windows.net` and of `privatelink.zone1.database.windows.net`. */
function zoneLabel(name: string): string | undefined {
  const suffix = DATABASE_SUFFIXES.find((known) => name.toLowerCase().endsWith(`.${known}`));
  if (suffix === undefined) return undefined;
  const labels = name
    .toLowerCase()
    .slice(0, -suffix.length - 1)
    .split('.');
  return labels.length > 1 ? labels.at(-1) : undefined;
}

function runLogin(network: Network, behaviour: Behaviour, value: Parameters<typeof traceSql>[1]): CaseOutcome {
  const live = new LiveNetwork(network, behaviour);
  let run: SqlRun;
  try {
    run = traceSql(live.session, value);
  } catch (error) {
    if (!(error instanceof StepProblem)) throw error;
    // The name leads nowhere: there is no connection that could come to anything.
    return { ...NO_CONNECTION, resolvesTo: null };
  }
  live.session.simulation.checkBalance();
  const { connections, facts } = run;
  const [first, second] = connections;
  const last = connections.at(-1);
  if (first === undefined || last === undefined) throw new Error('a login without a connection');
  const { told = {} } = facts;
  const isRedirected = first.login?.routing !== undefined;
  return {
    ...NO_CONNECTION,
    tcp: tcpWord(last),
    tls: last.login?.tls,
    login: loginOf(last) === 'ok' ? 'ok' : 'error',
    sqlError: told.sqlError,
    resolvesTo: ownerOf(network, first.address),
    connectionType: told.connectionType,
    tcpConnections: connections.length,
    ports: connections.map((connection) => connection.port),
    firstPort: first.port,
    secondPortRange: second?.port,
    envChangeType: isRedirected ? ENV_ROUTING : undefined,
    firstConnection: isRedirected ? 'redirected' : loginOf(first) === 'ok' ? 'proxied' : tcpWord(first),
    secondConnection: second && (loginOf(second) === 'ok' ? 'ok' : tcpWord(second)),
  };
}

const NO_CONNECTION = {
  tcp: 'timeout',
  tls: undefined,
  login: 'error',
  sqlError: undefined,
  connectionType: undefined,
  tcpConnections: 0,
  ports: [],
  firstPort: undefined,
  secondPortRange: undefined,
  envChangeType: undefined,
  firstConnection: undefined,
  secondConnection: undefined,
} as const;

// A client cannot tell a packet that was dropped from one that is late.
function tcpWord({ tcp }: SqlConnection): string {
  if (tcp === 'established') return 'connected';
  return tcp === 'reset' ? 'refused' : 'timeout';
}

/** What an address is in the words of cases; the address itself when it is none of them. */
function ownerOf(network: Network, address: number): string {
  const text = formatIpv4(address);
  for (const [word, known] of addressesOf(network)) if (known === text) return word;
  return text;
}

function addressesOf(network: Network): Map<string, string | undefined> {
  const [resource] = network.privateLinkResources;
  const endpoint = network.privateEndpoints.find(({ name }) => name === ENDPOINT);
  return new Map([
    ['peIp', endpoint?.properties.privateIPAddress],
    ['vnetLocalIp', resource && instanceAddress(network, resource, 'gateway')],
    ['publicIp', instanceNames(network).find((name) => name.interface === 'public')?.address],
  ]);
}

function reaches(live: LiveNetwork, from: string, to: string): boolean {
  try {
    return live.step('connect', { from, to }).result === 'established';
  } catch (error) {
    if (error instanceof StepProblem) return false;
    throw error;
  }
}

/** Without the keys that were not given. */
function given<T extends object>(value: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as never;
}
