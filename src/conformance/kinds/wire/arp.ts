// The shape about ARP: which requests of a guest are answered, and with which address (WIRE-2 to WIRE-4).

import { z } from 'zod';
import { ARP_REPLY, ARP_REQUEST, buildArp, formatMac, parseFrame, parseIpv4, parseMac } from '../../../wire/index.ts';
import type { ParsedArp } from '../../../wire/index.ts';
import { Fabric } from '../../fabric.ts';
import { networkOf } from '../../network.ts';
import { shape } from '../../shape.ts';
import { oneSubnet } from './topologies.ts';

const GUEST_MAC = parseMac('00:0d:3a:00:00:04');
const BROADCAST = parseMac('ff:ff:ff:ff:ff:ff');

export const arpRequests = shape(
  z.strictObject({ guest: z.string(), arpRequestFor: z.array(z.string()) }),
  ({ guest, arpRequestFor }, { behaviour }) => {
    const fabric = new Fabric(networkOf(oneSubnet({ guest }), behaviour), behaviour);
    const replies = arpRequestFor.flatMap((address) => {
      const before = fabric.received('guest').length;
      fabric.send('guest', request(parseIpv4(guest), parseIpv4(address)));
      return fabric
        .received('guest')
        .slice(before)
        .map(({ frame }) => parseFrame(frame))
        .filter((frame) => isReply(frame, parseIpv4(address)));
    });
    const senders = [...new Set(replies.map((reply) => formatMac(reply.senderMac)))];
    return { arpReplies: replies.length, senderMac: senders.length === 0 ? undefined : senders.join(', ') };
  },
);

function request(senderIp: number, targetIp: number): Uint8Array {
  return buildArp({
    operation: ARP_REQUEST,
    senderMac: GUEST_MAC,
    senderIp,
    targetMac: 0,
    targetIp,
    srcMac: GUEST_MAC,
    dstMac: BROADCAST,
  });
}

function isReply(frame: ReturnType<typeof parseFrame>, address: number): frame is ParsedArp {
  return frame.kind === 'arp' && frame.operation === ARP_REPLY && frame.senderIp === address;
}
