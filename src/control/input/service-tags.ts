// Service tags (NSG-20): the published file of prefixes, and a small made-up table for networks that bring none.
// Tags stand for public addresses only: a private endpoint's address is never inside one.

import type { Issue } from '../issues.ts';
import type { ServiceTagTable } from '../model/resources.ts';
import { Fields, isObject, memberOf } from './resources/fields.ts';
import { IssueList } from './issue-list.ts';
import { parseDocumentText } from './documents.ts';
import { checkPrefixOrAddress, isIpv6 } from './syntax.ts';

/** Made-up prefixes for the tags that rules name most. `Sql` does not cover SQL Managed Instance. */
export const DEFAULT_SERVICE_TAGS: ServiceTagTable = makeServiceTags({
  AzureCloud: ['20.32.0.0/11', '20.150.0.0/15', '13.64.0.0/11', '40.64.0.0/10', '52.224.0.0/11'],
  'AzureCloud.EastUS': ['20.40.0.0/17', '20.60.0.0/17', '40.71.0.0/16'],
  'AzureCloud.WestEurope': ['20.40.128.0/17', '20.60.128.0/17', '40.68.0.0/16'],
  Storage: ['20.60.0.0/16'],
  'Storage.EastUS': ['20.60.0.0/17'],
  'Storage.WestEurope': ['20.60.128.0/17'],
  Sql: ['20.40.0.0/16'],
  'Sql.EastUS': ['20.40.0.0/17'],
  'Sql.WestEurope': ['20.40.128.0/17'],
  AzureActiveDirectory: ['20.190.128.0/18', '40.126.0.0/18'],
  AzureMonitor: ['20.42.65.64/26', '40.71.12.224/28'],
  OneDsCollector: ['20.42.72.128/25', '40.79.141.144/28'],
  AzureResourceManager: ['20.37.52.240/28', '40.71.13.224/28'],
  AzureKeyVault: ['20.43.96.0/24', '40.70.186.0/24'],
  AzureContainerRegistry: ['20.43.64.0/24', '40.70.185.0/24'],
  AppService: ['20.43.40.0/22', '40.71.0.128/27'],
  EventHub: ['20.36.144.128/27', '40.71.10.192/27'],
  ServiceBus: ['20.36.144.0/27', '40.71.10.128/27'],
  GatewayManager: ['20.54.106.80/28', '40.70.185.192/28'],
  SqlManagement: ['20.53.28.0/24', '40.126.238.0/24'],
  AzureBackup: ['20.45.64.0/23', '40.70.147.0/26'],
});

/** Table from names and prefixes; later tables of `mergeServiceTags` replace single tags. */
export function makeServiceTags(tags: Readonly<Record<string, readonly string[]>>): ServiceTagTable {
  return new Map(Object.entries(tags).map(([name, prefixes]) => [name.toLowerCase(), { name, prefixes }]));
}

export function mergeServiceTags(tables: readonly ServiceTagTable[]): ServiceTagTable {
  return new Map(tables.flatMap((table) => [...table]));
}

/**
 * Reads the published shape, `{values: [{name, properties: {addressPrefixes}}]}`. IPv6 prefixes are left out without a
 * word: the published file has them in nearly every tag.
 */
export function loadServiceTags(
  text: string,
  file: string,
): { readonly serviceTags: ServiceTagTable | undefined; readonly issues: readonly Issue[] } {
  const issues = new IssueList();
  const document = parseDocumentText(text, file, issues);
  if (document === undefined) return { serviceTags: undefined, issues: issues.items };
  const values = isObject(document.value) ? memberOf(document.value, 'values') : undefined;
  if (!Array.isArray(values) || !isObject(document.value)) {
    const at = typeof document.value === 'object' && document.value !== null ? { object: document.value } : undefined;
    const message = 'expected a service tag file: an object with a list "values"';
    issues.error('SERVICE_TAGS_SHAPE', at, message, 'use the service tag file that Microsoft publishes as JSON');
    return { serviceTags: undefined, issues: issues.items };
  }
  const tags: Record<string, readonly string[]> = {};
  for (const tag of new Fields(document.value, issues).list('values')) {
    const name = tag.requiredText('name');
    const items = tag.texts('addressPrefixes').filter((item) => !isIpv6(item.text));
    if (name !== undefined) tags[name.text] = items.flatMap((item) => checkPrefixOrAddress(item, issues) ?? []);
  }
  return { serviceTags: makeServiceTags(tags), issues: issues.items };
}
