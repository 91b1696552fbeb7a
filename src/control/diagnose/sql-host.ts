// What a data source says about itself before anyone connects: host and port, and whether it is a SQL Managed Instance
// (SQLMI-5). The heuristics are those of the vendor's connectivity checker.

import { DATABASE_SUFFIXES, SQL_PUBLIC_PORT } from '../sql/instances.ts';

/** A data source: `host`, `host,port`, `host:port`, `tcp:host,port`. */
export interface DataSource {
  readonly host: string;
  readonly port: number | undefined;
}

export function parseDataSource(text: string): DataSource {
  const bare = text.trim().replace(/^tcp:/i, '');
  const match = /^(.*?)\s*[,:]\s*(\d{1,5})$/.exec(bare);
  if (match === null) return { host: bare, port: undefined };
  return { host: match[1] ?? '', port: Number(match[2]) };
}

/** Port 3342, or a database suffix, at least four dots and no `.privatelink.database.` (SQLMI-5). */
export function isManagedInstanceHost({ host, port }: DataSource): boolean {
  if (port === SQL_PUBLIC_PORT) return true;
  const name = host.toLowerCase().replace(/\.$/, '');
  if (!DATABASE_SUFFIXES.some((suffix) => name.endsWith(`.${suffix}`))) return false;
  return name.split('.').length > 4 && !name.includes('.privatelink.database.');
}
