// The services that private endpoints lead to, with their sub-resources and the zones that Azure recommends for them
// (DNS-40 to DNS-76). A name in braces stands for one label that the user's resource decides: a region, a DNS prefix.

import { nameKey } from './names.ts';

/** A zone with the public suffixes that its records stand for: `app.<suffix>` is `app` in the zone. */
export interface RecommendedZone {
  readonly zone: string;
  readonly suffixes: readonly string[];
  /** Sub-resources that it belongs to, when the row has several. */
  readonly groupIds?: readonly string[];
}

export interface ServiceZones {
  /** The rule that lists it. */
  readonly id: string;
  readonly types: readonly string[];
  readonly groupIds: readonly string[];
  readonly zones: readonly RecommendedZone[];
}

/** A recommended zone whose records stand for names of the same suffix, or of the given ones. */
function zone(name: string, suffixes?: readonly string[], groupIds?: readonly string[]): RecommendedZone {
  const own = name.replace(/(^|\.)privatelink\./, '$1');
  return { zone: name, suffixes: suffixes ?? [own], ...(groupIds && { groupIds }) };
}

const SERVICE_BUS = zone('privatelink.servicebus.windows.net');
const IOT_DEVICES = zone('privatelink.azure-devices.net');
const STORAGE = ['blob', 'table', 'queue', 'file', 'web', 'dfs'];

function storageZone(kind: string): RecommendedZone {
  const groupIds = kind === 'file' ? [kind] : [kind, `${kind}_secondary`];
  return zone(`privatelink.${kind}.core.windows.net`, undefined, groupIds);
}

function row(
  id: string,
  types: string | readonly string[],
  groupIds: readonly string[],
  zones: readonly RecommendedZone[],
): ServiceZones {
  return { id, types: typeof types === 'string' ? [types] : types, groupIds, zones };
}

/** One row per service of the published table. Services without a zone have none: their names are the customer's. */
export const SERVICE_ZONES: readonly ServiceZones[] = [
  row(
    'DNS-40',
    'Microsoft.AppConfiguration/configurationStores',
    ['configurationStores'],
    [zone('privatelink.azconfig.io')],
  ),
  row(
    'DNS-41',
    'Microsoft.Automation/automationAccounts',
    ['Webhook', 'DSCAndHybridWorker'],
    [zone('privatelink.azure-automation.net', ['{rc}.azure-automation.net', 'azure-automation.net'])],
  ),
  row(
    'DNS-42',
    ['Microsoft.DocumentDB/databaseAccounts', 'Microsoft.AzureCosmosDB/databaseAccounts'],
    ['Sql', 'MongoDB', 'Cassandra', 'Gremlin', 'Table'],
    [
      zone('privatelink.documents.azure.com', undefined, ['Sql']),
      zone('privatelink.mongo.cosmos.azure.com', undefined, ['MongoDB']),
      zone('privatelink.cassandra.cosmos.azure.com', undefined, ['Cassandra']),
      zone('privatelink.gremlin.cosmos.azure.com', undefined, ['Gremlin']),
      zone('privatelink.table.cosmos.azure.com', undefined, ['Table']),
    ],
  ),
  row(
    'DNS-43',
    'Microsoft.Batch/batchAccounts',
    ['batchAccount', 'nodeManagement'],
    [zone('privatelink.batch.azure.com', ['batch.azure.com'])],
  ),
  row('DNS-44', 'Microsoft.Cache/Redis', ['redisCache'], [zone('privatelink.redis.cache.windows.net')]),
  row(
    'DNS-44',
    'Microsoft.Cache/redisEnterprise',
    ['redisEnterprise'],
    [zone('privatelink.redisenterprise.cache.azure.net')],
  ),
  row(
    'DNS-45',
    'Microsoft.CognitiveServices/accounts',
    ['account'],
    [
      zone('privatelink.cognitiveservices.azure.com'),
      zone('privatelink.openai.azure.com'),
      zone('privatelink.services.ai.azure.com'),
    ],
  ),
  row(
    'DNS-46',
    ['Microsoft.Compute/diskAccesses', 'Microsoft.Compute/disks'],
    ['disks'],
    [zone('privatelink.blob.core.windows.net')],
  ),
  row('DNS-47', 'Microsoft.ContainerRegistry/registries', ['registry'], [zone('privatelink.azurecr.io')]),
  row(
    'DNS-48',
    'Microsoft.ContainerService/managedClusters',
    ['management'],
    [zone('privatelink.{r}.azmk8s.io'), zone('{subzone}.privatelink.{r}.azmk8s.io', ['{subzone}.{r}.azmk8s.io'])],
  ),
  row(
    'DNS-49',
    'Microsoft.DataFactory/factories',
    ['dataFactory', 'portal'],
    [
      zone('privatelink.datafactory.azure.net', undefined, ['dataFactory']),
      zone('privatelink.adf.azure.com', undefined, ['portal']),
    ],
  ),
  row(
    'DNS-50',
    'Microsoft.Kusto/clusters',
    ['cluster'],
    [
      zone('privatelink.{r}.kusto.windows.net'),
      ...['blob', 'queue', 'table'].map((kind) => zone(`privatelink.${kind}.core.windows.net`)),
    ],
  ),
  row('DNS-51', 'Microsoft.DBforMariaDB/servers', ['mariadbServer'], [zone('privatelink.mariadb.database.azure.com')]),
  row(
    'DNS-51',
    ['Microsoft.DBforMySQL/servers', 'Microsoft.DBforMySQL/flexibleServers'],
    ['mysqlServer'],
    [zone('privatelink.mysql.database.azure.com')],
  ),
  row(
    'DNS-51',
    ['Microsoft.DBforPostgreSQL/servers', 'Microsoft.DBforPostgreSQL/flexibleServers'],
    ['postgresqlServer'],
    [zone('privatelink.postgres.database.azure.com')],
  ),
  row(
    'DNS-52',
    'Microsoft.Devices/ProvisioningServices',
    ['iotDps'],
    [zone('privatelink.azure-devices-provisioning.net')],
  ),
  row('DNS-53', 'Microsoft.Devices/IotHubs', ['iotHub'], [IOT_DEVICES, SERVICE_BUS]),
  row(
    'DNS-54',
    'Microsoft.IoTCentral/IoTApps',
    ['iotApp'],
    [
      zone('privatelink.azureiotcentral.com'),
      IOT_DEVICES,
      SERVICE_BUS,
      zone('privatelink.azure-devices-provisioning.net'),
    ],
  ),
  row('DNS-55', 'Microsoft.DigitalTwins/digitalTwinsInstances', ['API'], [zone('privatelink.digitaltwins.azure.net')]),
  row('DNS-56', 'Microsoft.EventGrid/topics', ['topic'], [zone('privatelink.eventgrid.azure.net')]),
  row('DNS-56', 'Microsoft.EventGrid/domains', ['domain'], [zone('privatelink.eventgrid.azure.net')]),
  row(
    'DNS-57',
    ['Microsoft.EventHub/namespaces', 'Microsoft.ServiceBus/namespaces', 'Microsoft.Relay/namespaces'],
    ['namespace'],
    [SERVICE_BUS],
  ),
  row('DNS-58', 'Microsoft.HDInsight/clusters', ['gateway', 'headnode'], [zone('privatelink.azurehdinsight.net')]),
  row(
    'DNS-59',
    ['Microsoft.HealthcareApis/services', 'Microsoft.HealthcareApis/workspaces'],
    ['fhir', 'healthcareworkspace'],
    [zone('privatelink.azurehealthcareapis.com'), zone('privatelink.dicom.azurehealthcareapis.com')],
  ),
  row(
    'DNS-60',
    'Microsoft.KeyVault/vaults',
    ['vault'],
    [zone('privatelink.vaultcore.azure.net', ['vault.azure.net', 'vaultcore.azure.net'])],
  ),
  row('DNS-60', 'Microsoft.KeyVault/managedHSMs', ['managedhsm'], [zone('privatelink.managedhsm.azure.net')]),
  row(
    'DNS-61',
    'Microsoft.MachineLearningServices/workspaces',
    ['amlworkspace'],
    [
      zone('privatelink.api.azureml.ms', ['api.azureml.ms', 'instances.azureml.ms', 'aznbcontent.net']),
      zone('privatelink.notebooks.azure.net'),
    ],
  ),
  row(
    'DNS-62',
    ['Microsoft.Migrate/migrateProjects', 'Microsoft.Migrate/assessmentProjects'],
    ['Default'],
    [zone('privatelink.prod.migration.windowsazure.com')],
  ),
  row('DNS-63', 'Microsoft.Network/applicationGateways', ['applicationGateway'], []),
  row('DNS-63', 'Microsoft.Network/privateLinkServices', [], []),
  row('DNS-63', 'Microsoft.Web/hostingEnvironments', ['hostingEnvironments'], []),
  row(
    'DNS-64',
    'Microsoft.PowerBI/privateLinkServicesForPowerBI',
    ['tenant'],
    [
      zone('privatelink.analysis.windows.net'),
      zone('privatelink.pbidedicated.windows.net'),
      zone('privatelink.prod.powerquery.microsoft.com'),
    ],
  ),
  row(
    'DNS-65',
    'Microsoft.Purview/accounts',
    ['account', 'portal'],
    [
      zone('privatelink.purview.azure.com', undefined, ['account']),
      zone('privatelink.purviewstudio.azure.com', undefined, ['portal']),
    ],
  ),
  row(
    'DNS-66',
    'Microsoft.RecoveryServices/vaults',
    ['AzureBackup'],
    [
      zone('privatelink.{rc}.backup.windowsazure.com'),
      zone('privatelink.blob.core.windows.net'),
      zone('privatelink.queue.core.windows.net'),
    ],
  ),
  row('DNS-67', 'Microsoft.Search/searchServices', ['searchService'], [zone('privatelink.search.windows.net')]),
  row('DNS-68', 'Microsoft.SignalRService/SignalR', ['signalr'], [zone('privatelink.service.signalr.net')]),
  row('DNS-68', 'Microsoft.SignalRService/webPubSub', ['webpubsub'], [zone('privatelink.webpubsub.azure.com')]),
  row('DNS-69', 'Microsoft.Sql/servers', ['sqlServer'], [zone('privatelink.database.windows.net')]),
  row(
    'DNS-70',
    'Microsoft.Sql/managedInstances',
    ['managedInstance'],
    [zone('privatelink.{dnsPrefix}.database.windows.net')],
  ),
  row(
    'DNS-71',
    'Microsoft.Storage/storageAccounts',
    STORAGE.flatMap((kind) => (kind === 'file' ? [kind] : [kind, `${kind}_secondary`])),
    STORAGE.map((kind) => storageZone(kind)),
  ),
  row(
    'DNS-72',
    'Microsoft.StorageSync/storageSyncServices',
    ['afs'],
    [zone('privatelink.afs.azure.net', ['afs.azure.net'])],
  ),
  row('DNS-73', 'Microsoft.Synapse/privateLinkHubs', ['Web'], [zone('privatelink.azuresynapse.net')]),
  row(
    'DNS-73',
    'Microsoft.Synapse/workspaces',
    ['Sql', 'SqlOnDemand', 'Dev'],
    [
      zone('privatelink.sql.azuresynapse.net', undefined, ['Sql', 'SqlOnDemand']),
      zone('privatelink.dev.azuresynapse.net', undefined, ['Dev']),
    ],
  ),
  row('DNS-74', 'Microsoft.Web/sites', ['sites'], [zone('privatelink.azurewebsites.net')]),
  row(
    'DNS-75',
    'Microsoft.Web/staticSites',
    ['staticSites'],
    [zone('privatelink.azurestaticapps.net'), zone('privatelink.{partitionId}.azurestaticapps.net')],
  ),
  row(
    'DNS-76',
    'Microsoft.Media/mediaservices',
    ['keydelivery', 'liveevent', 'streamingendpoint'],
    [zone('privatelink.media.azure.net')],
  ),
];

/** Zones that a zone group of such an endpoint should name (DNS-22); undefined for types that the table lacks. */
export function recommendedZones(type: string, groupId?: string): readonly RecommendedZone[] | undefined {
  const rows = SERVICE_ZONES.filter((entry) => entry.types.some((known) => nameKey(known) === nameKey(type)));
  if (rows.length === 0) return undefined;
  const wanted = groupId === undefined ? undefined : nameKey(groupId);
  return rows.flatMap((entry) =>
    entry.zones.filter(
      ({ groupIds }) => wanted === undefined || groupIds === undefined || groupIds.some((id) => nameKey(id) === wanted),
    ),
  );
}

/** True when a zone has one of the recommended names. */
export function isRecommendedZone(name: string): boolean {
  return ALL_ZONES.some((entry) => matchPattern(nameKey(name), entry.zone) !== undefined);
}

/**
 * What a public name becomes once its resource has an endpoint (DNS-8): `kv.vault.azure.net` is an alias of
 * `kv.privatelink.vaultcore.azure.net`. By the zones of the resource's type, else by the longest suffix of the table,
 * else with `privatelink` after the first label.
 */
export function privateLinkAlias(host: string, type: string): string {
  const name = nameKey(host);
  const own = recommendedZones(type) ?? [];
  const found = aliasIn(name, own) ?? aliasIn(name, ALL_ZONES);
  if (found !== undefined) return found;
  const dot = name.indexOf('.');
  return dot < 0 ? name : `${name.slice(0, dot)}.privatelink${name.slice(dot)}`;
}

/** The record of a public name in a zone, `mi1` of `mi1.zone1.database.windows.net` in
 * `privatelink.zone1.database.windows.net`; undefined when the name does not belong there. */
export function recordIn(zoneName: string, host: string): string | undefined {
  const zoneKey = nameKey(zoneName);
  const name = nameKey(host);
  const plain = zoneKey.replace(/(^|\.)privatelink\./, '$1');
  const suffixes = [plain];
  for (const entry of ALL_ZONES) {
    const labels = matchPattern(zoneKey, entry.zone);
    if (labels !== undefined) suffixes.push(...entry.suffixes.map((suffix) => fill(suffix, labels)));
  }
  for (const suffix of suffixes) if (name.endsWith(`.${suffix}`)) return name.slice(0, -suffix.length - 1);
  return undefined;
}

const ALL_ZONES = SERVICE_ZONES.flatMap((entry) => entry.zones);

function aliasIn(name: string, zones: readonly RecommendedZone[]): string | undefined {
  let best: { readonly length: number; readonly alias: string } | undefined;
  for (const entry of zones) {
    for (const suffix of entry.suffixes) {
      const count = suffix.split('.').length;
      const labels = name.split('.');
      const found = labels.length > count ? matchPattern(labels.slice(-count).join('.'), suffix) : undefined;
      if (found === undefined || (best !== undefined && best.length >= count)) continue;
      best = { length: count, alias: `${labels.slice(0, -count).join('.')}.${fill(entry.zone, found)}` };
    }
  }
  return best?.alias;
}

/** Labels that the braces of a pattern stand for; undefined when the name is of another shape. */
function matchPattern(name: string, pattern: string): ReadonlyMap<string, string> | undefined {
  const labels = name.split('.');
  const wanted = pattern.split('.');
  if (labels.length !== wanted.length) return undefined;
  const found = new Map<string, string>();
  for (const [index, part] of wanted.entries()) {
    const label = labels[index] ?? '';
    if (part.startsWith('{')) found.set(part, label);
    else if (part.toLowerCase() !== label) return undefined;
  }
  return found;
}

function fill(pattern: string, labels: ReadonlyMap<string, string>): string {
  return pattern
    .split('.')
    .map((part) => labels.get(part) ?? part)
    .join('.');
}
