// Two hosts in one subnet, the smallest network that tests need: `app` 10.0.0.4 and `sql` 10.0.0.5.
import { Host, type HostOptions } from '../../src/guest/host.ts';
import { parseIpv4, parsePrefix } from '../../src/wire/index.ts';
import { Lab } from './lab.ts';

export const APP = parseIpv4('10.0.0.4');
export const SQL = parseIpv4('10.0.0.5');
export const GATEWAY = parseIpv4('10.0.0.1');
export const SUBNET = parsePrefix('10.0.0.0/24');
export const APP_MAC = 0x000d3a000004;
export const SQL_MAC = 0x000d3a000005;

export interface TwoHosts {
  readonly lab: Lab;
  readonly app: Host;
  readonly sql: Host;
}

export function twoHosts(
  options: { seed?: number; app?: Partial<HostOptions>; sql?: Partial<HostOptions> } = {},
): TwoHosts {
  const lab = new Lab(options.seed ?? 1);
  const link = { gateway: GATEWAY, prefix: SUBNET };
  const app = lab.add('app', { mac: APP_MAC, addresses: [APP] }, (port) => {
    return new Host(port, { mac: APP_MAC, addresses: [APP], ...link, ...options.app });
  });
  const sql = lab.add('sql', { mac: SQL_MAC, addresses: [SQL] }, (port) => {
    return new Host(port, { mac: SQL_MAC, addresses: [SQL], ...link, ...options.sql });
  });
  return { lab, app, sql };
}
