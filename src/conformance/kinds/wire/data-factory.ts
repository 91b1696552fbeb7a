// The shapes about managed networks of data factories (ADF): what the runtime reaches publicly, which stores it reaches
// by name, and how it logs in to a SQL Managed Instance. Whole connections by the emulator's own guests.

import { z } from 'zod';
import { behaviourOf, PROFILES } from '../../../control/model/profile.ts';
import type { Behaviour, ProfileName } from '../../../control/model/profile.ts';
import { asList } from '../../../scenario/format/common-schemas.ts';
import { LiveNetwork, networkOfShort } from '../../live.ts';
import { shape } from '../../shape.ts';
import type { Shape } from '../../shape.ts';

const RUNTIME = 'factory';
/** Addresses of the default service tags: of Storage, and of no tag but AzureCloud. */
const STORAGE_ADDRESS = '20.60.0.10';
const OTHER_ADDRESS = '52.224.0.10';
const STORE_ADDRESS = '52.224.0.20';
/** The last year in which managed networks were limited to port 443 (ADF-3). */
const HTTPS_ONLY_UNTIL = 2020;

const port = z.number().int().min(0).max(65_535);
const profile = z.union([z.enum(PROFILES), z.string().regex(/^adf-(\d{4}|ga)$/)]);
const managedEndpoint = z.enum(['none', 'Pending', 'Approved', 'Rejected', 'Disconnected']);

interface Store {
  readonly type: string;
  readonly groupId: string;
  readonly suffix: string;
}

const storage = (groupId: string): Store => ({
  type: 'Microsoft.Storage/storageAccounts',
  groupId,
  suffix: `${groupId}.core.windows.net`,
});

/** Stores that cases name (ADF-4, ADF-5). */
const STORES: Readonly<Record<string, Store>> = {
  blob: storage('blob'),
  table: storage('table'),
  queue: storage('queue'),
  file: storage('file'),
  files: storage('file'),
  dfs: storage('dfs'),
  adlsGen2: storage('dfs'),
  sql: { type: 'Microsoft.Sql/servers', groupId: 'sqlServer', suffix: 'database.windows.net' },
  sqlDw: { type: 'Microsoft.Synapse/workspaces', groupId: 'Sql', suffix: 'sql.azuresynapse.net' },
  cosmosDb: { type: 'Microsoft.DocumentDB/databaseAccounts', groupId: 'Sql', suffix: 'documents.azure.com' },
  keyVault: { type: 'Microsoft.KeyVault/vaults', groupId: 'vault', suffix: 'vault.azure.net' },
};

const publicPorts = shape(
  z.strictObject({
    profile: profile.optional(),
    dstPorts: z.array(port),
    endpoint: z.literal('public'),
    service: z.enum(['other', 'storage']),
  }),
  ({ profile: name, dstPorts, service }, { behaviour }) => {
    const own = behaviourOfYear(name, behaviour);
    const live = new LiveNetwork(networkOfShort({ dataFactories: { [RUNTIME]: {} } }, own), own);
    const address = service === 'storage' ? STORAGE_ADDRESS : OTHER_ADDRESS;
    return { allowed: dstPorts.map((dstPort) => connects(live, address, dstPort)) };
  },
);

const storeReach = shape(
  z.strictObject({
    store: z.enum(Object.keys(STORES)),
    storeHasPeElsewhere: z.boolean(),
    storeAllowsAllNetworks: z.boolean().optional(),
    mpe: managedEndpoint,
    profile: profile.optional(),
  }),
  ({ store, storeHasPeElsewhere, storeAllowsAllNetworks, mpe, profile: name }, { behaviour }) => {
    const { type, groupId, suffix } = STORES[store] as Store;
    const host = `store1.${suffix}`;
    const isOpen = storeAllowsAllNetworks ?? true;
    const service = {
      type,
      ports: 443,
      hostNames: [host],
      publicAddress: STORE_ADDRESS,
      publicNetworkAccess: isOpen ? 'Enabled' : 'Disabled',
    };
    const own = behaviourOfYear(name, behaviour);
    const live = new LiveNetwork(
      networkOfShort(topologyOf({ store1: service }, 'store1', groupId, storeHasPeElsewhere, mpe), own),
      own,
    );
    const { told } = live.step('resolve', { from: RUNTIME, name: host });
    const [address] = asList(told?.address ?? []);
    if (typeof address !== 'string') return { reachable: false };
    const isShut = address === STORE_ADDRESS && !isOpen; // PE-10
    return { reachable: !isShut && connects(live, address, 443) };
  },
);

const instanceLogin = shape(
  z.strictObject({
    service: z.literal('adf'),
    mpe: managedEndpoint.exclude(['none']),
    dataSource: z.enum(['peIp', 'name']),
    profile: profile.optional(),
  }),
  ({ mpe, dataSource, profile: name }, { behaviour }) => {
    const own = behaviourOfYear(name, behaviour);
    const instance = { type: 'Microsoft.Sql/managedInstances', dnsZone: 'zone1', publicAddress: STORE_ADDRESS };
    const network = networkOfShort(topologyOf({ mi1: instance }, 'mi1', 'managedInstance', false, mpe), own);
    const live = new LiveNetwork(network, own);
    const endpoint = network.privateEndpoints.find((entry) => entry.name === ENDPOINT)?.properties.privateIPAddress;
    const to = dataSource === 'peIp' ? `${endpoint}:1433` : 'mi1.zone1.database.windows.net:1433';
    const { login = 'timeout', sqlError } =
      live.step('sql', { from: RUNTIME, to, trustServerCertificate: true }).told ?? {};
    return { login, ...(sqlError !== undefined && { sqlError }) };
  },
);

export const dataFactoryShapes: readonly Shape[] = [publicPorts, storeReach, instanceLogin];

const ENDPOINT = 'managed-endpoint';

/** A factory, one service, and a customer's network with an endpoint of it where the case wants one. */
function topologyOf(
  services: object,
  service: string,
  groupId: string,
  hasEndpointElsewhere: boolean,
  mpe: z.infer<typeof managedEndpoint>,
): object {
  const managed = mpe === 'none' ? {} : { [ENDPOINT]: { service, groupId, state: mpe } };
  return {
    services,
    virtualNetworks: {
      customer: { addressSpace: '10.0.0.0/16', subnets: { endpoints: { addressPrefix: '10.0.1.0/24' } } },
    },
    ...(hasEndpointElsewhere && {
      privateEndpoints: { elsewhere: { subnet: 'customer/endpoints', service, groupId } },
    }),
    dataFactories: { [RUNTIME]: { managedPrivateEndpoints: managed } },
  };
}

function connects(live: LiveNetwork, address: string, dstPort: number): boolean {
  return live.step('connect', { from: RUNTIME, to: `${address}:${dstPort}` }).result === 'established';
}

/** A profile of the emulator, or the state of managed networks in a year. */
function behaviourOfYear(name: string | undefined, behaviour: Behaviour): Behaviour {
  if (name === undefined) return behaviour;
  if (PROFILES.includes(name as ProfileName)) return behaviourOf(name as ProfileName);
  const publicOutbound = Number(name.slice('adf-'.length)) <= HTTPS_ONLY_UNTIL ? 'https' : 'all';
  return behaviourOf(behaviour.profile, { ...behaviour.switches, 'adf.publicOutbound': publicOutbound });
}
