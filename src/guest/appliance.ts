// A network virtual appliance: a guest that forwards packets not addressed to itself (ROUTE-31), with one link in and
// out. For packets to its own address it is an ordinary host that can be pinged and connected to. Unlike the fabric it
// is a router: it counts the TTL down (WIRE-7). It may translate sources, and insist on having seen a connection start.
import * as wire from '../wire/index.ts';
import { AppliancePolicy, type Verdict } from './appliance-policy.ts';
import type { FrameMeta, GuestPort } from './guest.ts';
import { Host, type HostOptions } from './host.ts';
import { MULTICAST_FIRST } from './icmp-error.ts';
import { decrementTtl, rewriteDatagram } from './rewrite.ts';

export interface ApplianceOptions extends HostOptions {
  /** Source-NATs everything it forwards to its primary address. Default false. */
  readonly snat?: boolean | undefined;
  /** Drops mid-connection TCP packets of connections whose start it has not seen (ROUTE-34, CAP-4). Default false. */
  readonly stateful?: boolean | undefined;
}

export class Appliance extends Host {
  readonly #policy: AppliancePolicy;

  constructor(port: GuestPort, options: ApplianceOptions) {
    super(port, options);
    const primary = options.addresses[0];
    if (options.snat === true && primary === undefined) throw new Error('an appliance with SNAT needs an address');
    this.#policy = new AppliancePolicy({
      natAddress: options.snat === true ? primary : undefined,
      stateful: options.stateful === true,
      isOwn: (tuple) => this.expects(tuple),
    });
  }

  /** A port that carries a translated connection to the same destination is not free. */
  protected override isPortTaken(incoming: wire.FiveTuple): boolean {
    return this.#policy.isTranslated(incoming, this.port.now());
  }

  override receive(frame: Uint8Array, meta: FrameMeta): void {
    const frames = wire.viewOf(frame);
    if (!this.#isForwardable(frames)) {
      super.receive(frame, meta);
      return;
    }
    const l3 = wire.ETHERNET_HEADER;
    const forOwnAddress = this.options.addresses.includes(wire.ipv4Dst(frames, l3));
    const verdict = this.#policy.decide(frames, l3, this.port.now(), forOwnAddress);
    if (verdict.kind === 'unknown') super.receive(frame, meta);
    else if (verdict.kind === 'drop') this.port.countDrop(verdict.reason);
    else this.#forward(frame, verdict, meta);
  }

  /** A valid IPv4 frame to this MAC and to one host; the host stack counts what is wrong with the others. */
  #isForwardable(frames: DataView): boolean {
    const l3 = wire.ETHERNET_HEADER;
    if (frames.byteLength < l3 || wire.ethernetType(frames, 0) !== wire.ETHERTYPE_IPV4) return false;
    if (wire.ethernetDst(frames, 0) !== this.options.mac) return false;
    if (wire.checkIpv4Header(frames, l3, frames.byteLength - l3) !== wire.IPV4_OK) return false;
    return wire.ipv4Dst(frames, l3) < MULTICAST_FIRST;
  }

  #forward(received: Uint8Array, verdict: Verdict & { kind: 'pass' }, meta: FrameMeta): void {
    const l3 = wire.ETHERNET_HEADER;
    if (wire.ipv4Ttl(wire.viewOf(received), l3) <= 1) {
      this.port.countDrop('ttl expired');
      this.sendIcmpError(received, wire.ICMP_TIME_EXCEEDED, 0);
      return;
    }
    const { ip } = this;
    // A copy: whoever watches the fabric may still hold the frame as it was delivered.
    const frame = received.slice();
    const frames = wire.viewOf(frame);
    const length = wire.ipv4TotalLength(frames, l3);
    if (length > ip.mtu && wire.ipv4DontFragment(frames, l3)) {
      this.port.countDrop('mtu exceeded');
      this.sendIcmpError(received, wire.ICMP_UNREACHABLE, wire.ICMP_FRAGMENTATION_NEEDED, ip.mtu);
      return;
    }
    decrementTtl(frames, l3);
    rewriteDatagram(frames, l3, l3 + length, verdict.rewrite);
    if (verdict.quoted !== undefined && verdict.quotedAt !== undefined) {
      rewriteDatagram(frames, verdict.quotedAt, l3 + length, verdict.quoted);
      refreshIcmpChecksum(frames, l3);
    }
    if (length <= ip.mtu) {
      ip.send(frame, meta);
      return;
    }
    // The first fragment goes on as the packet that came in; the others are new ones.
    wire.fragmentFrame(frame, ip.mtu).forEach((fragment, index) => ip.send(fragment, index === 0 ? meta : undefined));
  }
}

/** After a change inside the quoted datagram, which the checksum covers. */
function refreshIcmpChecksum(frames: DataView, l3: number): void {
  const l4 = l3 + wire.ipv4HeaderLength(frames, l3);
  const length = l3 + wire.ipv4TotalLength(frames, l3) - l4;
  wire.setIcmpChecksum(frames, l4, wire.transportChecksum(frames, l3, l4, length));
}
