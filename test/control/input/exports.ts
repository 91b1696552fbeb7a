// Resource objects as exports print them, in a short notation for tests.

import { readNetworkText } from '../../../src/control/input/read.ts';
import type { ReadResult } from '../../../src/control/input/read.ts';

const GROUP = '/subscriptions/s1/resourceGroups/rg';

/** `idOf('virtualNetworks/hub/subnets/app')`; another provider with a leading `Microsoft.…/`. */
export function idOf(path: string): string {
  return `${GROUP}/providers/${path.startsWith('Microsoft.') ? path : `Microsoft.Network/${path}`}`;
}

/** A resource object nested under `properties`. */
export function resource(path: string, properties: object, more: object = {}): object {
  const parts = path.split('/');
  const own = path.startsWith('Microsoft.') ? parts : ['Microsoft.Network', ...parts];
  const type = own.filter((_, index) => index === 0 || index % 2 === 1).join('/');
  return { id: idOf(path), name: parts.at(-1), type, location: 'westeurope', ...more, properties };
}

export function ref(path: string): { id: string } {
  return { id: idOf(path) };
}

export function subnet(path: string, prefix: string, more: object = {}): object {
  return { name: path.split('/').at(-1), id: idOf(path), properties: { addressPrefix: prefix, ...more } };
}

export function hub(...subnets: object[]): object {
  return resource('virtualNetworks/hub', { addressSpace: { addressPrefixes: ['10.0.0.0/16'] }, subnets });
}

export const HUB = hub(subnet('virtualNetworks/hub/subnets/app', '10.0.0.0/24'));

/** An interface in hub/app. */
export function nic(name: string, address: string | undefined, more: object = {}, configuration: object = {}): object {
  const ipConfiguration = {
    name: 'ipconfig1',
    id: idOf(`networkInterfaces/${name}/ipConfigurations/ipconfig1`),
    properties: {
      ...(address !== undefined && { privateIPAddress: address }),
      privateIPAllocationMethod: 'Dynamic',
      subnet: ref('virtualNetworks/hub/subnets/app'),
      primary: true,
      ...configuration,
    },
  };
  return resource(`networkInterfaces/${name}`, { ipConfigurations: [ipConfiguration], ...more });
}

export function rule(name: string, properties: object): object {
  const base = { priority: 100, direction: 'Inbound', access: 'Allow', protocol: 'TCP' };
  return { name, properties: { ...base, ...properties } };
}

export function read(...resources: unknown[]): ReadResult {
  return readNetworkText(JSON.stringify(resources, null, 1), 'export.json');
}

export function codes(result: ReadResult): string[] {
  return result.issues.map((issue) => `${issue.severity} ${issue.code}`);
}
