// The shape about fragments: which ones of a sequence are delivered, which are dropped and why (WIRE-15).

import { z } from 'zod';
import { dropName } from '../../../abi/drop-reasons.ts';
import { ETHERNET_HEADER, IPV4_HEADER_MIN, PROTOCOL_UDP, buildFrame, parseIpv4 } from '../../../wire/index.ts';
import { Fabric } from '../../fabric.ts';
import { networkOf } from '../../network.ts';
import { shape } from '../../shape.ts';
import { pascalCase } from '../../verdict.ts';
import { oneSubnet } from './topologies.ts';

/** Bytes of a fragment when no later one says where it ends, and of the last fragment. */
const FRAGMENT_BYTES = 1480;
const LAST_BYTES = 520;
const UDP_HEADER_BYTES = 8;

const fragmentSchema = z.strictObject({ id: z.int(), offset: z.int().min(0).multipleOf(8), more: z.boolean() });
type Fragment = z.output<typeof fragmentSchema>;

export const fragments = shape(
  z.strictObject({ fragments: z.array(fragmentSchema) }),
  ({ fragments: list }, { behaviour }) => {
    const addresses = { a: '10.0.0.4', b: '10.0.0.5' };
    const fabric = new Fabric(networkOf(oneSubnet(addresses), behaviour), behaviour);
    const results = list.map((fragment) => {
      const frame = fragmentFrame(fragment, list, parseIpv4(addresses.a), parseIpv4(addresses.b));
      const pass = fabric.send('a', frame).passes[0];
      const isDelivered = pass?.outcome === 'delivered' && pass.egress === fabric.attachment('b');
      return { ...fragment, isDelivered, reason: pascalCase(dropName(pass?.reason ?? 0)) };
    });
    const row = ({ id, offset, more }: Fragment) => ({ id, offset, more });
    return {
      delivered: results.filter(({ isDelivered }) => isDelivered).map(row),
      dropped: results.filter(({ isDelivered }) => !isDelivered).map((each) => ({ ...row(each), reason: each.reason })),
    };
  },
);

/** One fragment of a UDP datagram that all fragments with the same id are parts of. */
function fragmentFrame(fragment: Fragment, all: readonly Fragment[], src: number, dst: number): Uint8Array {
  const own = all.filter(({ id }) => id === fragment.id);
  const endOf = ({ offset, more }: Fragment): number => {
    if (!more) return offset + LAST_BYTES;
    const later = own.map((each) => each.offset).filter((other) => other > offset);
    return later.length === 0 ? offset + FRAGMENT_BYTES : Math.min(...later);
  };
  const length = Math.max(...own.map(endOf));
  const whole = buildFrame({
    src,
    dst,
    udp: { srcPort: 50_000, dstPort: 9 },
    payload: new Uint8Array(length - UDP_HEADER_BYTES),
  });
  const data = whole.subarray(ETHERNET_HEADER + IPV4_HEADER_MIN);
  return buildFrame({
    src,
    dst,
    id: fragment.id,
    protocol: PROTOCOL_UDP,
    fragmentOffset: fragment.offset,
    moreFragments: fragment.more,
    payload: data.subarray(fragment.offset, endOf(fragment)),
  });
}
