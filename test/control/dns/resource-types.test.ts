import { describe, expect, it } from 'vitest';
import {
  isRecommendedZone,
  privateLinkAlias,
  recommendedZones,
  recordIn,
  SERVICE_ZONES,
} from '../../../src/control/dns/resource-types.ts';

describe('the table of services (DNS-40 to DNS-76)', () => {
  it('has every row, in order', () => {
    const ids = [...new Set(SERVICE_ZONES.map((row) => row.id))];
    expect(ids).toEqual(Array.from({ length: 37 }, (_, index) => `DNS-${index + 40}`));
  });

  it.each([
    ['DNS-42', 'Microsoft.DocumentDB/databaseAccounts', 'MongoDB', ['privatelink.mongo.cosmos.azure.com']],
    ['DNS-49', 'Microsoft.DataFactory/factories', 'portal', ['privatelink.adf.azure.com']],
    ['DNS-60', 'microsoft.keyvault/VAULTS', 'Vault', ['privatelink.vaultcore.azure.net']],
    ['DNS-63', 'Microsoft.Network/privateLinkServices', 'any', []],
    ['DNS-70', 'Microsoft.Sql/managedInstances', 'managedInstance', ['privatelink.{dnsPrefix}.database.windows.net']],
    ['DNS-71', 'Microsoft.Storage/storageAccounts', 'queue_secondary', ['privatelink.queue.core.windows.net']],
    ['DNS-73', 'Microsoft.Synapse/workspaces', 'SqlOnDemand', ['privatelink.sql.azuresynapse.net']],
  ])('%s: %s %s', (_, type, group, zones) => {
    expect(recommendedZones(type, group)?.map((entry) => entry.zone)).toEqual(zones);
  });

  it.each([
    ['mi1.zone1.database.windows.net', 'Microsoft.Sql/managedInstances', 'mi1.privatelink.zone1.database.windows.net'],
    ['acct.blob.core.windows.net', 'Microsoft.Storage/storageAccounts', 'acct.privatelink.blob.core.windows.net'],
    ['app.scm.azurewebsites.net', 'Microsoft.Web/sites', 'app.scm.privatelink.azurewebsites.net'],
    [
      'reg.westeurope.data.azurecr.io',
      'Microsoft.ContainerRegistry/registries',
      'reg.westeurope.data.privatelink.azurecr.io',
    ],
    ['api.contoso.example', 'Contoso.Own/services', 'api.privatelink.contoso.example'],
  ])('DNS-8: the alias of %s', (host, type, alias) => {
    expect(privateLinkAlias(host, type)).toBe(alias);
  });

  it('finds the record of a name in a zone, and none in another service’s zone (DNS-22)', () => {
    expect(recordIn('privatelink.zone1.database.windows.net', 'mi1.zone1.database.windows.net')).toBe('mi1');
    expect(recordIn('privatelink.vaultcore.azure.net', 'kv.vault.azure.net')).toBe('kv');
    expect(recordIn('privatelink.azurewebsites.net', 'app.scm.azurewebsites.net')).toBe('app.scm');
    expect(recordIn('privatelink.blob.core.windows.net', 'acct.file.core.windows.net')).toBeUndefined();
  });

  it('knows a wrong privatelink name', () => {
    expect(isRecommendedZone('privatelink.zone1.database.windows.net')).toBe(true);
    expect(isRecommendedZone('privatelink.database.window.net')).toBe(false);
  });
});
