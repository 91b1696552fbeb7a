// A host behind an attachment: ARP, IPv4, ICMP, UDP and TCP over one link, in virtual time. Every frame it receives is
// checked as a real stack would check it, and what it drops is counted by name.
import * as wire from '../wire/index.ts';
import type { FrameMeta, Guest, GuestPort } from './guest.ts';
import { mayReportError, readIcmpError } from './icmp-error.ts';
import { IpLayer } from './ip-layer.ts';
import { IpReassembly } from './ip-reassembly.ts';
import { PingEndpoint, type PingOptions, type PingOutcome } from './ping.ts';
import type { TcpConnection } from './tcp/connection.ts';
import { TcpEndpoint } from './tcp/endpoint.ts';
import type { TcpHandlers } from './tcp/model.ts';
import { traceRoute, type TracerouteOptions, type TracerouteResult } from './traceroute.ts';
import { trafficService, type Serve } from './traffic-service.ts';
import { UdpEndpoint, type UdpHandler, type UdpSend, type UdpService } from './udp-endpoint.ts';

/** `silent`: takes part in what it started itself, and answers nothing else, not even with RST or ICMP. */
export type RespondRule = 'normal' | 'silent';

export interface HostOptions {
  /** The first is the source of what the host starts. May be empty with `anyAddress`. */
  readonly addresses: readonly number[];
  /** Answers for every destination address: the Internet, on-premises networks, services. Default false. */
  readonly anyAddress?: boolean | undefined;
  readonly mac: number;
  /** Next hop for what is not in `prefix`. */
  readonly gateway?: number | undefined;
  /** Addresses on the link. */
  readonly prefix?: wire.Ipv4Prefix | undefined;
  /** Default true; exits and provider sides send to the fabric's MAC without asking. */
  readonly arp?: boolean | undefined;
  /** Largest IPv4 datagram, bytes; default 1500 (WIRE-13). */
  readonly mtu?: number | undefined;
  /** Default 64. */
  readonly initialTtl?: number | undefined;
  /** TCP and UDP ports that are served; default all. */
  readonly listen?: 'all' | readonly number[] | undefined;
  /** What happens with data on accepted connections; default the traffic service. */
  readonly serve?: Serve | undefined;
  /** Handlers for an accepted connection, instead of `serve`. */
  readonly accept?: ((connection: TcpConnection) => TcpHandlers) | undefined;
  /** Asked before the echo: DNS. */
  readonly serveUdp?: UdpService | undefined;
  /** UDP datagrams to served ports come back. Default true. */
  readonly echoUdp?: boolean | undefined;
  /** Default true. */
  readonly answerPing?: boolean | undefined;
  /** ICMP port unreachable for UDP ports that are not served. Default true. */
  readonly answerUnreachable?: boolean | undefined;
  readonly respond?: RespondRule | undefined;
  /** How often a SYN is sent again; default 6. */
  readonly synRetries?: number | undefined;
  /** How often data is sent again without an answer; default 8. */
  readonly dataRetries?: number | undefined;
  /** Default 60 s. */
  readonly timeWaitNs?: number | undefined;
}

export interface ConnectOptions {
  readonly dst: number;
  readonly dstPort: number;
  /** Default: the next free port from 50000 upwards. */
  readonly srcPort?: number | undefined;
  /** Default: the primary address. */
  readonly src?: number | undefined;
  /** How often the SYN is sent again; default as of the host. */
  readonly retries?: number | undefined;
  readonly ttl?: number | undefined;
  readonly handlers?: TcpHandlers | undefined;
}

export type SendUdpOptions = Omit<UdpSend, 'src'> & { readonly src?: number | undefined };
export type HostPingOptions = PingOptions & { readonly src?: number | undefined };

const MTU_DEFAULT = 1500;
const TTL_DEFAULT = 64;
const SYN_RETRIES = 6;
const DATA_RETRIES = 8;
const TIME_WAIT_NS = 60_000_000_000;

export class Host implements Guest {
  readonly port: GuestPort;
  readonly options: HostOptions;
  /** The way out, for guests built around a host. */
  readonly ip: IpLayer;
  readonly #tcp: TcpEndpoint;
  readonly #udp: UdpEndpoint;
  readonly #ping: PingEndpoint;
  readonly #reassembly: IpReassembly;
  readonly #silent: boolean;
  /** Undefined: all ports. */
  #listen: ReadonlySet<number> | undefined;
  #accepted = 0;

  constructor(port: GuestPort, options: HostOptions) {
    this.port = port;
    this.options = options;
    this.#silent = options.respond === 'silent';
    this.ip = new IpLayer(port, {
      mac: options.mac,
      addresses: options.addresses,
      gateway: options.gateway,
      prefix: options.prefix,
      arp: options.arp ?? true,
      mtu: options.mtu ?? MTU_DEFAULT,
      ttl: options.initialTtl ?? TTL_DEFAULT,
    });
    this.setListen(options.listen ?? 'all');
    const isListening = (portNumber: number): boolean => !this.#silent && (this.#listen?.has(portNumber) ?? true);
    this.#tcp = new TcpEndpoint(this.ip, {
      isListening,
      isPortTaken: (incoming) => this.isPortTaken(incoming),
      answerReset: !this.#silent,
      accept: this.#acceptor(),
      synRetries: options.synRetries ?? SYN_RETRIES,
      dataRetries: options.dataRetries ?? DATA_RETRIES,
      timeWaitNs: options.timeWaitNs ?? TIME_WAIT_NS,
    });
    this.#udp = new UdpEndpoint(this.ip, {
      isListening,
      echo: options.echoUdp ?? true,
      serve: options.serveUdp,
      answerUnreachable: !this.#silent && (options.answerUnreachable ?? true),
    });
    this.#ping = new PingEndpoint(this.ip);
    this.#reassembly = new IpReassembly(port);
  }

  /** Connections that are not closed; those in TIME-WAIT count. */
  get connections(): Iterable<TcpConnection> {
    return this.#tcp.connections;
  }

  /** Connections that this host has accepted so far. */
  get acceptedConnections(): number {
    return this.#accepted;
  }

  /** TCP and UDP ports that are served from now on; connections that exist go on. */
  setListen(ports: 'all' | readonly number[]): void {
    this.#listen = ports === 'all' ? undefined : new Set(ports);
  }

  /** Opens a TCP connection. Throws without a source address, or when addresses and ports are in use. */
  connect(options: ConnectOptions): TcpConnection {
    return this.#tcp.connect({ ...options, src: options.src ?? this.#primary() });
  }

  /** Sends one echo request; the callback comes once. */
  ping(dst: number, options: HostPingOptions, callback: (outcome: PingOutcome) => void): void {
    this.#ping.send(options.src ?? this.#primary(), dst, options, callback);
  }

  /** Sends one UDP datagram and returns its source port. */
  sendUdp(options: SendUdpOptions): number {
    return this.#udp.send({ ...options, src: options.src ?? this.#primary() });
  }

  /** Sets, or removes, who hears of every UDP datagram for this host first. */
  onUdp(handler: UdpHandler | undefined): void {
    this.#udp.handler = handler;
  }

  /** Traces the way to `dst`; the callback comes once. */
  traceroute(dst: number, options: TracerouteOptions, callback: (result: TracerouteResult) => void): void {
    traceRoute(this, dst, options, callback);
  }

  /** Whether this host waits for packets with this five-tuple, in answer to something it has sent. */
  expects(incoming: wire.FiveTuple): boolean {
    const { protocol, src, srcPort, dst, dstPort } = incoming;
    if (protocol === wire.PROTOCOL_TCP) {
      return this.#tcp.has({ localAddress: dst, localPort: dstPort, remoteAddress: src, remotePort: srcPort });
    }
    if (protocol === wire.PROTOCOL_UDP) return this.#udp.hasSentFrom(dstPort);
    return protocol === wire.PROTOCOL_ICMP && this.#ping.isWaitingFor(src, dstPort);
  }

  receive(frame: Uint8Array, meta: FrameMeta): void {
    const frames = wire.viewOf(frame);
    if (frames.byteLength < wire.ETHERNET_HEADER) {
      this.port.countDrop('malformed');
      return;
    }
    const dstMac = wire.ethernetDst(frames, 0);
    const type = wire.ethernetType(frames, 0);
    if (dstMac !== this.options.mac && dstMac !== wire.BROADCAST_MAC) this.port.countDrop('not for me');
    else if (type === wire.ETHERTYPE_IPV4) this.#receiveIpv4(frame, frames, meta);
    else if (type === wire.ETHERTYPE_ARP) this.ip.neighbours.receive(frames);
    else this.port.countDrop('protocol not supported');
  }

  /** Sends an ICMP error about an IPv4 frame, if one may be sent; `rest` is bytes 4 to 7. */
  sendIcmpError(offending: Uint8Array, type: number, code: number, rest = 0): void {
    const frames = wire.viewOf(offending);
    if (this.#silent || !mayReportError(frames, wire.ETHERNET_HEADER)) return;
    const from = this.options.addresses[0] ?? wire.ipv4Dst(frames, wire.ETHERNET_HEADER);
    this.ip.send(wire.buildIcmpError({ type, code, rest, from, ttl: this.ip.ttl }, offending));
  }

  /** For guests that use ports of this host's address for something else. */
  protected isPortTaken(_incoming: wire.FiveTuple): boolean {
    return false;
  }

  #receiveIpv4(frame: Uint8Array, frames: DataView, meta: FrameMeta): void {
    const l3 = wire.ETHERNET_HEADER;
    const problem = wire.checkIpv4Header(frames, l3, frames.byteLength - l3);
    if (problem !== wire.IPV4_OK) {
      this.port.countDrop(problem === wire.IPV4_BAD_CHECKSUM ? 'bad checksum' : 'malformed');
      return;
    }
    if (!this.#isOwnAddress(wire.ipv4Dst(frames, l3))) {
      this.port.countDrop('not for me');
      return;
    }
    if (!wire.ipv4IsFragment(frames, l3)) {
      this.#receiveDatagram(frame, frames, l3, meta);
      return;
    }
    const whole = this.#reassembly.add(frame, frames, l3);
    if (whole !== undefined) this.#receiveDatagram(whole, wire.viewOf(whole), l3, meta);
  }

  #receiveDatagram(frame: Uint8Array, frames: DataView, l3: number, meta: FrameMeta): void {
    const protocol = wire.ipv4Protocol(frames, l3);
    if (!wire.verifyTransportChecksum(frames, l3)) {
      this.port.countDrop('bad checksum');
      return;
    }
    if (protocol === wire.PROTOCOL_TCP) this.#tcp.receive(frame, frames, l3);
    else if (protocol === wire.PROTOCOL_UDP) this.#receiveUdp(frame, frames, l3, meta);
    else if (protocol === wire.PROTOCOL_ICMP) this.#receiveIcmp(frame, frames, l3);
    else {
      this.port.countDrop('protocol not supported');
      this.sendIcmpError(frame, wire.ICMP_UNREACHABLE, wire.ICMP_PROTOCOL_UNREACHABLE);
    }
  }

  #receiveUdp(frame: Uint8Array, frames: DataView, l3: number, meta: FrameMeta): void {
    const l4 = l3 + wire.ipv4HeaderLength(frames, l3);
    const datagram = {
      src: wire.ipv4Src(frames, l3),
      srcPort: wire.udpSrcPort(frames, l4),
      dst: wire.ipv4Dst(frames, l3),
      dstPort: wire.udpDstPort(frames, l4),
      ttl: wire.ipv4Ttl(frames, l3),
      payload: frame.subarray(l4 + wire.UDP_HEADER, l4 + wire.udpLength(frames, l4)),
      ingress: meta.ingress,
    };
    this.#udp.receive(datagram, () => {
      this.sendIcmpError(frame, wire.ICMP_UNREACHABLE, wire.ICMP_PORT_UNREACHABLE);
    });
  }

  #receiveIcmp(frame: Uint8Array, frames: DataView, l3: number): void {
    const l4 = l3 + wire.ipv4HeaderLength(frames, l3);
    const type = wire.icmpType(frames, l4);
    if (type === wire.ICMP_ECHO_REPLY) this.#ping.receiveReply(frame, frames, l3);
    else if (type === wire.ICMP_ECHO_REQUEST) {
      if (!this.#silent && this.options.answerPing !== false) this.#ping.answer(frame, frames, l3);
    } else this.#receiveIcmpError(frames, l3, l4);
  }

  #receiveIcmpError(frames: DataView, l3: number, l4: number): void {
    const error = readIcmpError(frames, l3, l4);
    if (error === undefined || !this.#isOwnAddress(error.quoted.src)) return;
    if (error.kind === 'fragmentationNeeded') this.ip.reducePathMtu(error.quoted.dst, error.nextHopMtu);
    const { protocol } = error.quoted;
    if (protocol === wire.PROTOCOL_TCP) this.#tcp.receiveIcmpError(error);
    else if (protocol === wire.PROTOCOL_UDP) this.#udp.receiveIcmpError(error);
    else if (protocol === wire.PROTOCOL_ICMP) this.#ping.receiveIcmpError(error);
  }

  #acceptor(): (connection: TcpConnection) => TcpHandlers {
    const { accept } = this.options;
    const serve = this.options.serve ?? trafficService();
    return (connection) => {
      this.#accepted++;
      return accept?.(connection) ?? { onData: (data) => serve(connection, data) };
    };
  }

  #isOwnAddress(address: number): boolean {
    return this.options.anyAddress === true || this.options.addresses.includes(address);
  }

  #primary(): number {
    const address = this.options.addresses[0];
    if (address === undefined) throw new Error('this host answers for every address: say which is the source');
    return address;
  }
}
