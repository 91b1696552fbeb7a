// Small networks for the experiments of `wire` cases.

import { formatPrefix, parseIpv4, prefixContains, prefixMask } from '../../../wire/index.ts';
import type { Ipv4Prefix } from '../../../wire/index.ts';
import { parseTopology } from '../../notation.ts';
import type { Topology } from '../../notation.ts';

const SUBNET_LENGTH = 24;

/** One network with one subnet: the /24 of the first address, which has to hold all others. */
export function oneSubnet(addresses: Readonly<Record<string, string>>): Topology {
  const entries = Object.entries(addresses);
  const first = parseIpv4(entries[0]?.[1] ?? '');
  const subnet: Ipv4Prefix = { address: (first & prefixMask(SUBNET_LENGTH)) >>> 0, length: SUBNET_LENGTH };
  const cidr = formatPrefix(subnet);
  for (const [name, address] of entries) {
    if (!prefixContains(subnet, parseIpv4(address))) throw new Error(`${name} ${address} is not in ${cidr}`);
  }
  return parseTopology({
    vnets: { vnet: [cidr] },
    subnets: { subnet: { vnet: 'vnet', cidr } },
    nics: Object.fromEntries(entries.map(([name, ip]) => [name, { subnet: 'subnet', ip }])),
  });
}

/** Two guests `a` and `b`: in two subnets of one network, or in two peered networks. */
export function twoGuests(isPeered: boolean): Topology {
  return parseTopology({
    vnets: isPeered ? { one: ['10.0.0.0/16'], two: ['10.1.0.0/16'] } : { one: ['10.0.0.0/16', '10.1.0.0/16'] },
    peers: isPeered ? [['one', 'two', {}]] : [],
    subnets: {
      first: { vnet: 'one', cidr: '10.0.0.0/24' },
      second: { vnet: isPeered ? 'two' : 'one', cidr: '10.1.0.0/24' },
    },
    nics: { a: { subnet: 'first', ip: '10.0.0.4' }, b: { subnet: 'second', ip: '10.1.0.4' } },
  });
}
