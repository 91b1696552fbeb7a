// A client, an appliance and a server. By default both ways lead through the appliance; tests take one of them away.
import { Appliance, type ApplianceOptions } from '../../src/guest/appliance.ts';
import { Host, type HostOptions } from '../../src/guest/host.ts';
import { parseIpv4 } from '../../src/wire/index.ts';
import { Lab } from './lab.ts';

export const CLIENT = parseIpv4('10.1.0.4');
export const NVA = parseIpv4('10.1.2.4');
export const SERVER = parseIpv4('10.1.1.4');

const MACS = { client: 0x000d3a010004, nva: 0x000d3a010204, server: 0x000d3a010104 };

export interface ThreeHosts {
  readonly lab: Lab;
  readonly client: Host;
  readonly nva: Appliance;
  readonly server: Host;
}

export function throughAppliance(
  options: Partial<ApplianceOptions> & { host?: Partial<HostOptions>; returnDirectly?: boolean; seed?: number } = {},
): ThreeHosts {
  const { host, returnDirectly, seed, ...appliance } = options;
  const lab = new Lab(seed ?? 1);
  const forward = new Map([[SERVER, 'nva']]);
  const back = new Map<number, string>(returnDirectly === true ? [] : [[CLIENT, 'nva']]);
  const link = (address: number): Pick<HostOptions, 'gateway' | 'prefix'> => {
    const prefix = { address: (address & 0xffffff00) >>> 0, length: 24 };
    return { prefix, gateway: prefix.address + 1 };
  };
  const client = lab.add('client', { mac: MACS.client, addresses: [CLIENT], routes: forward }, (port) => {
    return new Host(port, { mac: MACS.client, addresses: [CLIENT], ...link(CLIENT), ...host });
  });
  const nva = lab.add('nva', { mac: MACS.nva, addresses: [NVA] }, (port) => {
    return new Appliance(port, { mac: MACS.nva, addresses: [NVA], ...link(NVA), ...appliance });
  });
  const server = lab.add('server', { mac: MACS.server, addresses: [SERVER], routes: back }, (port) => {
    return new Host(port, { mac: MACS.server, addresses: [SERVER], ...link(SERVER), ...host });
  });
  return { lab, client, nva, server };
}
