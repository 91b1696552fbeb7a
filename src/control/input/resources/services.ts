// What targets of private endpoints say beyond address, ports and names: public address, sub-resources, SQL settings.

import type { PrivateLinkResource } from '../../model/resources.ts';
import type { SqlSettings, SubResource } from '../../model/services.ts';
import { MANAGED_INSTANCE_TYPE, REDIRECT_PORT_FIRST, REDIRECT_PORT_LAST, SQL_PORT } from '../../sql/instances.ts';
import { SQL_SERVER_TYPE } from '../../sql/instances.ts';
import { checkAddress, checkPorts } from '../syntax.ts';
import type { Entry } from './catalogue.ts';
import { isObject } from './fields.ts';
import type { Fields } from './fields.ts';
import type { InputContext } from './links.ts';

type Parts = Pick<PrivateLinkResource['properties'], 'publicAddress' | 'publicNetworkAccess' | 'subResources' | 'sql'> &
  Partial<Pick<PrivateLinkResource['properties'], 'ports'>>;

const CONNECTION_TYPES = ['Proxy', 'Redirect', 'Default'] as const;

/** The parts of one target; what is not stated is absent. */
export function readServiceParts(context: InputContext, entry: Entry): Parts {
  const { fields } = entry;
  const stated = typeof fields.value('publicAddress') === 'string' ? fields.textAt('publicAddress') : undefined;
  const publicAddress = stated && checkAddress(stated, context.issues);
  const publicNetworkAccess = readPublicAccess(fields);
  const subResources = readSubResources(context, fields);
  const sql = readSql(entry);
  const ports = redirectedPorts(entry, sql);
  return {
    ...(publicAddress !== undefined && { publicAddress }),
    ...(publicNetworkAccess !== undefined && { publicNetworkAccess }),
    ...(subResources.length > 0 && { subResources }),
    ...(sql && { sql }),
    ...(ports && { ports }),
  };
}

/** Services have further words of their own for it (`SecuredByPerimeter`), which close it as well. */
function readPublicAccess(fields: Fields): 'Enabled' | 'Disabled' | undefined {
  const value = fields.value('publicNetworkAccess');
  if (typeof value !== 'string' || value === '') return undefined;
  return value.toLowerCase() === 'enabled' ? 'Enabled' : 'Disabled';
}

/** The emulator's own `subResources`, by group id (PE-8). */
function readSubResources(context: InputContext, fields: Fields): SubResource[] {
  const value = fields.value('subResources');
  if (!isObject(value)) return [];
  const members = fields.child('subResources');
  return Object.keys(value).flatMap((groupId) => {
    const member = members?.child(groupId);
    if (member === undefined) return [];
    const backend = member.textAt('backendAddress');
    return [
      {
        groupId,
        hostNames: member.texts('hostNames').map(({ text }) => text.toLowerCase()),
        ports: member.texts('ports', 'numbers').flatMap((item) => checkPorts(item, context.issues) ?? []),
        backendAddress: (backend && checkAddress(backend, context.issues)) ?? '',
      },
    ];
  });
}

/** SQLMI-3, SQLMI-11: the public endpoint is off and the connection type Default unless the input says otherwise. */
function readSql({ type, fields }: Entry): SqlSettings | undefined {
  const isInstance = type.toLowerCase() === MANAGED_INSTANCE_TYPE.toLowerCase();
  if (!isInstance && type.toLowerCase() !== SQL_SERVER_TYPE.toLowerCase()) return undefined;
  const dnsZone = isInstance ? fields.text('dnsZone') : undefined;
  return {
    ...(dnsZone !== undefined && { dnsZone }),
    proxyOverride: fields.word('proxyOverride', CONNECTION_TYPES) ?? 'Default',
    publicDataEndpointEnabled: (isInstance ? fields.boolean('publicDataEndpointEnabled') : undefined) ?? false,
    interfaces: [],
  };
}

/** SQLMI-15, PE-38: an endpoint of SQL Database that redirects serves the ports of redirected connections too. */
function redirectedPorts({ type, fields }: Entry, sql: SqlSettings | undefined): string[] | undefined {
  const isDatabase = type.toLowerCase() === SQL_SERVER_TYPE.toLowerCase();
  if (!isDatabase || sql?.proxyOverride !== 'Redirect' || fields.has('ports')) return undefined;
  return [String(SQL_PORT), `${REDIRECT_PORT_FIRST}-${REDIRECT_PORT_LAST}`];
}
