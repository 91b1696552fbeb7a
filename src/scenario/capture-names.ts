// Addresses and their names for the name-resolution block of captures, so that Wireshark shows `app` and `pe-sqlmi`. An
// address that two networks use for different things gets no name.

import { formatIpv4, parseIpv4, tryParseIpv4 } from '../wire/index.ts';
import type { NameEntry } from '../control/capture/pcapng-writer.ts';
import type { Network } from '../control/model/resources.ts';

/** One entry for each address that stands for one thing, in the order of the network. */
export function captureNames(network: Network): NameEntry[] {
  const byAddress = new Map<number, Set<string>>();
  const add = (address: number | undefined, name: string): void => {
    if (address === undefined) return;
    byAddress.set(address, (byAddress.get(address) ?? new Set()).add(name));
  };
  for (const nic of network.networkInterfaces) {
    for (const { properties } of nic.properties.ipConfigurations)
      add(tryParseIpv4(properties.privateIPAddress), nic.name);
  }
  for (const endpoint of network.privateEndpoints) {
    add(tryParseIpv4(endpoint.properties.privateIPAddress), endpoint.name);
  }
  for (const service of network.privateLinkResources)
    add(tryParseIpv4(service.properties.backendAddress), service.name);
  for (const address of network.publicIPAddresses) add(tryParseIpv4(address.properties.ipAddress ?? ''), address.name);
  add(parseIpv4('168.63.129.16'), 'platform');
  return [...byAddress].flatMap(([address, names]) => {
    const [name, second] = [...names];
    return name === undefined || second !== undefined ? [] : [{ address: formatIpv4(address), names: [name] }];
  });
}
