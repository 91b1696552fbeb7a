// Changes to SQL services: how clients are connected (SQLMI-11), and the public endpoint of an instance (SQLMI-3).

import { InputError } from '../issues.ts';
import type { Issue } from '../issues.ts';
import { allocateAddresses } from '../input/resources/allocation.ts';
import type { Network, PrivateLinkResource } from '../model/resources.ts';
import type { SqlSettings } from '../model/services.ts';
import { isManagedInstance } from '../sql/instances.ts';
import { withInstanceInterfaces } from '../sql/instance-interfaces.ts';
import { type Change, exchange, find, refusal } from './lookup.ts';

/** Sets the connection type of a SQL service; connections that exist keep theirs (SQLMI-11). */
export function setConnectionType(service: string, proxyOverride: SqlSettings['proxyOverride']): Change {
  return (network) => withSql(network, findSql(network, service), { proxyOverride }).network;
}

/** Opens or closes the public endpoint of a Managed Instance (SQLMI-3). */
export function setPublicEndpoint(service: string, enabled: boolean): Change {
  return (network) => {
    const found = findSql(network, service);
    if (!isManagedInstance(found)) {
      const message = `'${found.name}' is no SQL Managed Instance`;
      throw refusal('CHANGE_VALUE', message, 'only an instance has a public endpoint that can be switched');
    }
    const changed = withSql(network, found, { publicDataEndpointEnabled: enabled });
    const issues: Issue[] = [];
    const next = allocateAddresses(withInstanceInterfaces(changed.network, changed.resource), issues);
    if (issues.length > 0) throw new InputError(issues);
    return next;
  };
}

function findSql(network: Network, name: string): PrivateLinkResource {
  return find(network.privateLinkResources, name, 'service');
}

function withSql(
  network: Network,
  resource: PrivateLinkResource,
  settings: Partial<SqlSettings>,
): { readonly network: Network; readonly resource: PrivateLinkResource } {
  const { sql } = resource.properties;
  if (sql === undefined) {
    const hint = 'expected a service of type Microsoft.Sql/managedInstances or Microsoft.Sql/servers';
    throw refusal('CHANGE_VALUE', `'${resource.name}' is no SQL service`, hint);
  }
  const next = { ...resource, properties: { ...resource.properties, sql: { ...sql, ...settings } } };
  return {
    network: { ...network, privateLinkResources: exchange(network.privateLinkResources, resource, next) },
    resource: next,
  };
}
