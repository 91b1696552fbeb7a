// Health probes (LB-4): for every probe that a load balancing rule uses, the platform connects from 168.63.129.16 to
// each member of the rule's pool, every interval, and tells the network who is down. As many failures in a row as the
// probe says take a member out, one success brings it back. Probes of a pool behind a Private Link service with the
// PROXY protocol carry the LOCAL header (PLS-18). Networks may overlap: each has a host stack of its own here, and
// every probe a source port of its own. Probes happen in the background: they do not keep a run going.

import { idKey } from '../../control/model/resources.ts';
import { Host } from '../../guest/host.ts';
import { LOCAL_HEADER } from '../../wire/proxy-protocol.ts';
import {
  ETHERNET_HEADER,
  formatIpv4,
  ipv4HeaderLength,
  ipv4Protocol,
  parseIpv4,
  PROTOCOL_TCP,
  tcpDstPort,
  viewOf,
} from '../../wire/index.ts';
import type { Compiled } from '../../control/compile/compiled.ts';
import type { LoadBalancer, Probe } from '../../control/model/load-balancing.ts';
import type { Network } from '../../control/model/resources.ts';
import type { FrameMeta, Guest, GuestPort, GuestTimer } from '../../guest/guest.ts';
import type { TcpConnection } from '../../guest/tcp/connection.ts';

/** What the prober asks of its simulation. */
export interface ProberServices {
  readonly compiled: Compiled;
  now(): number;
  send(attachment: number, frame: Uint8Array, forwarded: FrameMeta | undefined, vnet?: number): number;
  at(timeNs: number, callback: () => void, options: { readonly background: boolean }): GuestTimer;
  random(attachment: number, label: string): number;
  countDrop(reason: string): void;
  change(edit: (network: Network) => Network): void;
}

/** The source of every probe (WIRE-18). */
const PROBE_SOURCE = parseIpv4('168.63.129.16');
const PORT_FIRST = 50_000;
const PORT_LAST = 65_535;
const SECOND_NS = 1e9;
const HTTP_OK = /^HTTP\/1\.[01] 200 /;
const STATUS_BYTES = 13;

export class Prober {
  readonly #services: ProberServices;
  readonly #targets = new Map<string, Target>();
  /** Host stacks by network, and the one that waits behind a source port. */
  readonly #hosts = new Map<number, Host>();
  readonly #waiting = new Map<number, Host>();
  #nextPort = PORT_FIRST;

  constructor(services: ProberServices) {
    this.#services = services;
  }

  /** The network is another one now: probes of what is gone stop, new ones begin at once. */
  update(): void {
    const wanted = new Map(plansOf(this.#services.compiled).map((plan) => [plan.key, plan]));
    for (const [key, target] of this.#targets) {
      const plan = wanted.get(key);
      if (plan !== undefined && plan.intervalNs === target.plan.intervalNs) target.plan = plan;
      else this.#stop(target);
    }
    for (const plan of wanted.values()) if (!this.#targets.has(plan.key)) this.#start(plan);
  }

  /** The platform's guest with the prober beside it: answers to probes are the prober's. */
  beside(guest: Guest): Guest {
    return {
      receive: (frame, meta) => {
        (this.#waiting.get(probePortOf(frame)) ?? guest).receive(frame, meta);
      },
    };
  }

  #start(plan: Plan): void {
    const target: Target = { plan, failures: 0, attempt: undefined, timer: undefined };
    this.#targets.set(plan.key, target);
    this.#schedule(target, this.#services.now());
  }

  #stop(target: Target): void {
    this.#targets.delete(target.plan.key);
    target.timer?.cancel();
    this.#end(target);
  }

  #schedule(target: Target, timeNs: number): void {
    target.timer = this.#services.at(timeNs, () => this.#probe(target), { background: true });
  }

  /** One probe; the one before it, if it has no answer yet, has failed. */
  #probe(target: Target): void {
    const { plan } = target;
    this.#schedule(target, this.#services.now() + plan.intervalNs);
    if (target.attempt !== undefined) {
      this.#end(target);
      this.#note(target, false);
    }
    if (!this.#targets.has(plan.key)) return;
    const host = this.#hostOf(plan.network);
    const srcPort = this.#freePort();
    this.#waiting.set(srcPort, host);
    const settle = (isHealthy: boolean): void => {
      if (target.attempt?.localPort !== srcPort) return;
      target.attempt = undefined;
      this.#note(target, isHealthy);
    };
    const connection = host.connect({
      src: PROBE_SOURCE,
      srcPort,
      dst: plan.address,
      dstPort: plan.port,
      retries: 0,
      handlers: probeHandlers(
        plan,
        settle,
        () => connection,
        () => this.#waiting.delete(srcPort),
      ),
    });
    target.attempt = connection;
  }

  /** Gives up on the probe that is under way. */
  #end(target: Target): void {
    const connection = target.attempt;
    target.attempt = undefined;
    connection?.abort();
  }

  /** LB-4: what one probe found out. */
  #note(target: Target, isHealthy: boolean): void {
    const { plan } = target;
    target.failures = isHealthy ? 0 : target.failures + 1;
    if (!isHealthy && target.failures < plan.numberOfProbes) return;
    const { unhealthyBackends } = this.#services.compiled.network;
    const isOurs = (entry: (typeof unhealthyBackends)[number]): boolean =>
      idKey(entry.probe.id) === idKey(plan.probe) &&
      idKey(entry.backendIPConfiguration.id) === idKey(plan.ipConfiguration);
    if (unhealthyBackends.some(isOurs) !== isHealthy) return;
    const down = { probe: { id: plan.probe }, backendIPConfiguration: { id: plan.ipConfiguration } };
    this.#services.change((network) => {
      const others = network.unhealthyBackends.filter((entry) => !isOurs(entry));
      return { ...network, unhealthyBackends: isHealthy ? others : [...others, down] };
    });
  }

  #freePort(): number {
    for (let tries = PORT_FIRST; tries <= PORT_LAST; tries++) {
      const port = this.#nextPort;
      this.#nextPort = port === PORT_LAST ? PORT_FIRST : port + 1;
      if (!this.#waiting.has(port)) return port;
    }
    throw new Error(`all ${PORT_LAST - PORT_FIRST + 1} ports of probes are in use`);
  }

  #hostOf(network: number): Host {
    const known = this.#hosts.get(network);
    if (known !== undefined) return known;
    const services = this.#services;
    const { program } = services.compiled;
    const { platform, attachments } = program;
    const port: GuestPort = {
      now: () => services.now(),
      send: (frame, forwarded) => void services.send(platform, frame, forwarded, network),
      setTimer: (atNs, callback) => services.at(atNs, callback, { background: true }),
      random: (label) => services.random(platform, `probe ${network} ${label}`),
      countDrop: (reason) => services.countDrop(reason),
    };
    const mac = (attachments.macHigh[platform] as number) * 2 ** 32 + ((attachments.macLow[platform] as number) >>> 0);
    const host = new Host(port, { addresses: [PROBE_SOURCE], mac, arp: false, respond: 'silent' });
    this.#hosts.set(network, host);
    return host;
  }
}

/** What one member is asked, and how often. */
interface Plan {
  readonly key: string;
  /** Ids. */
  readonly probe: string;
  readonly ipConfiguration: string;
  /** Program index of the member's network. */
  readonly network: number;
  readonly address: number;
  readonly port: number;
  readonly protocol: Probe['properties']['protocol'];
  readonly path: string;
  readonly intervalNs: number;
  readonly numberOfProbes: number;
  /** The LOCAL header comes first (PLS-18). */
  readonly hasHeader: boolean;
}

interface Target {
  plan: Plan;
  /** In a row. */
  failures: number;
  attempt: TcpConnection | undefined;
  timer: GuestTimer | undefined;
}

/** Handlers of a probe's connection: a handshake is enough for TCP, HTTP wants status 200. An HTTPS probe is judged by
 * its handshake of TCP: there is no TLS here. */
function probeHandlers(
  { protocol, path, hasHeader, address }: Plan,
  settle: (isHealthy: boolean) => void,
  connection: () => TcpConnection,
  onOver: () => void,
): NonNullable<Parameters<Host['connect']>[0]['handlers']> {
  const asks = protocol === 'Http';
  let answer = '';
  return {
    onEstablished() {
      if (hasHeader) connection().write(LOCAL_HEADER);
      if (asks)
        connection().write(new TextEncoder().encode(`GET ${path} HTTP/1.1\r\nHost: ${formatIpv4(address)}\r\n\r\n`));
      else {
        connection().close();
        settle(true);
      }
    },
    onData(bytes) {
      if (!asks || answer.length >= STATUS_BYTES) return;
      answer += String.fromCharCode(...bytes.subarray(0, STATUS_BYTES));
      if (answer.length < STATUS_BYTES) return;
      connection().close();
      settle(HTTP_OK.test(answer));
    },
    onClosed() {
      settle(false);
      onOver();
    },
  };
}

/** Every member of every pool that a rule with a probe leads to, once per probe. */
function plansOf(compiled: Compiled): Plan[] {
  const { network } = compiled;
  const members = membersByIpConfiguration(compiled);
  const plans = network.loadBalancers.flatMap((balancer) =>
    balancer.properties.loadBalancingRules.flatMap(({ properties }): Plan[] => {
      const probe = balancer.properties.probes.find(({ id }) => isSame(id, properties.probe?.id));
      const pool = balancer.properties.backendAddressPools.find(({ id }) =>
        isSame(id, properties.backendAddressPool.id),
      );
      if (probe === undefined || pool === undefined) return [];
      const hasHeader = isProxied(network, balancer, pool.id);
      return pool.properties.backendIPConfigurations.flatMap(({ id }) => {
        const member = members.get(idKey(id));
        return member === undefined ? [] : [planOf(probe, id, member, hasHeader)];
      });
    }),
  );
  return [...new Map(plans.map((plan) => [plan.key, plan])).values()];
}

interface Member {
  readonly network: number;
  readonly address: number;
}

function planOf({ id, properties }: Probe, ipConfiguration: string, member: Member, hasHeader: boolean): Plan {
  const { protocol, port, requestPath = '/', intervalInSeconds, numberOfProbes } = properties;
  return {
    ...member,
    key: `${idKey(id)} ${idKey(ipConfiguration)}`,
    probe: id,
    ipConfiguration,
    port,
    protocol,
    path: requestPath,
    intervalNs: intervalInSeconds * SECOND_NS,
    numberOfProbes: Math.max(1, numberOfProbes),
    hasHeader,
  };
}

/** PLS-15: a service with the protocol on switches it on for the whole pool. */
function isProxied(network: Network, balancer: LoadBalancer, pool: string): boolean {
  const frontends = balancer.properties.loadBalancingRules
    .filter(({ properties }) => isSame(pool, properties.backendAddressPool.id))
    .map(({ properties }) => idKey(properties.frontendIPConfiguration.id));
  return network.privateLinkServices.some(
    ({ properties }) =>
      properties.enableProxyProtocol &&
      properties.loadBalancerFrontendIpConfigurations.some(({ id }) => frontends.includes(idKey(id))),
  );
}

function membersByIpConfiguration({ network, program, sideTable }: Compiled): Map<string, Member> {
  const attachments = new Map(
    sideTable.attachments.flatMap((info) => (info?.kind === 'nic' ? [[idKey(info.id), info.attachment] as const] : [])),
  );
  return new Map(
    network.networkInterfaces.flatMap((nic) => {
      const attachment = attachments.get(idKey(nic.id));
      if (attachment === undefined) return [];
      const vnet = program.attachments.vnet[attachment] as number;
      return nic.properties.ipConfigurations.map(
        ({ id, properties }) =>
          [idKey(id), { network: vnet, address: parseIpv4(properties.privateIPAddress) }] as const,
      );
    }),
  );
}

function isSame(id: string, other: string | undefined): boolean {
  return other !== undefined && idKey(id) === idKey(other);
}

/** The port that an answer to a probe would be for; -1 for frames that are no TCP. */
function probePortOf(frame: Uint8Array): number {
  const frames = viewOf(frame);
  if (frames.byteLength < ETHERNET_HEADER + 40 || ipv4Protocol(frames, ETHERNET_HEADER) !== PROTOCOL_TCP) return -1;
  return tcpDstPort(frames, ETHERNET_HEADER + ipv4HeaderLength(frames, ETHERNET_HEADER));
}
