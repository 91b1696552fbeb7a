// The guest that stands behind each attachment unless a caller puts another one there: hosts behind NICs, appliances
// behind NICs that forward, services behind endpoints, and the world behind exits.

import {
  formatPrefix,
  ipv4Dst,
  ETHERNET_HEADER,
  parseIpv4,
  parsePrefix,
  prefixFirst,
  viewOf,
} from '../../wire/index.ts';
import { idKey } from '../../control/model/resources.ts';
import { Appliance } from '../../guest/appliance.ts';
import { Host } from '../../guest/host.ts';
import { Service } from '../../guest/service.ts';
import type { AttachmentInfo, Compiled } from '../../control/compile/compiled.ts';
import type { NetworkInterface } from '../../control/model/resources.ts';
import { rememberDnsServers } from './dns-guests.ts';
import { guestExtras, type GuestWorld } from './guest-extras.ts';
import type { FrameMeta, Guest, GuestPort } from '../../guest/guest.ts';

/** What answers at a host beside or instead of the default. */
export interface HostSettings {
  /** TCP and UDP ports; default all. */
  readonly listen?: readonly number[] | undefined;
  /** Default true. */
  readonly ping?: boolean | undefined;
  /** The host's services expect a PROXY header (PLS-15). */
  readonly proxyProtocol?: boolean | undefined;
  /** Exits: where their hosts ask for names; default the public name space. */
  readonly dnsServers?: readonly string[] | undefined;
}

/** Everything that a default guest is made from. */
export interface GuestFacts {
  readonly attachment: number;
  readonly kind: AttachmentInfo['kind'];
  readonly mac: number;
  readonly mtu: number;
  /** The first is the source of what the guest starts. */
  readonly addresses: readonly number[];
  /** NIC: its subnet. */
  readonly subnet?: string;
  /** NIC that forwards. */
  readonly appliance?: { readonly snat: boolean; readonly stateful: boolean };
  /** Provider side: the ports it serves. */
  readonly ports?: readonly number[];
  readonly settings: HostSettings;
  /** Id of the network of a NIC. */
  readonly vnet?: string;
  /** Id of the service that this NIC or provider side belongs to. */
  readonly service?: string;
  /** Where a NIC's guest asks for names (DNS-6). */
  readonly dnsServers?: readonly number[];
}

/** 168.63.129.16 and 169.254.169.254 (WIRE-18, WIRE-19), with what answers there. */
const PLATFORM_ADDRESSES = [parseIpv4('168.63.129.16'), parseIpv4('169.254.169.254')];
const PLATFORM_PORTS = [80, 32526, 53];

/** The facts of every attachment of a network; `settings` by lower-case attachment name. */
export function guestFacts(compiled: Compiled, settings: ReadonlyMap<string, HostSettings>): GuestFacts[] {
  const { program, sideTable, network } = compiled;
  const { attachments } = program;
  const nics = new Map(network.networkInterfaces.map((nic) => [idKey(nic.id), nic]));
  const appliances = new Map(network.appliances.map((appliance) => [idKey(appliance.nic.id), appliance]));
  return sideTable.attachments.flatMap((info): GuestFacts[] => {
    if (info === undefined) return [];
    const { attachment, kind } = info;
    const address = (attachments.address[attachment] as number) >>> 0;
    const base = {
      attachment,
      kind,
      mac: (attachments.macHigh[attachment] as number) * 2 ** 32 + ((attachments.macLow[attachment] as number) >>> 0),
      mtu: attachments.mtu[attachment] as number,
      settings: settings.get(info.name.toLowerCase()) ?? {},
    };
    const nic = nics.get(idKey(info.id));
    if (kind === 'nic' && nic !== undefined) {
      const appliance = applianceOf(nic, appliances.get(idKey(info.id)));
      const facts = { ...base, addresses: addressesOf(nic), ...subnetOf(compiled, nic), ...placeOf(compiled, nic) };
      return [{ ...facts, ...(appliance && { appliance }) }];
    }
    if (kind === 'provider')
      return [{ ...base, addresses: [address], ports: portsOf(compiled, attachment), ...targetOf(compiled, info) }];
    if (kind === 'platform') return [{ ...base, addresses: PLATFORM_ADDRESSES }];
    return [{ ...base, addresses: address === 0 ? [] : [address] }];
  });
}

/** True when a guest made from `a` serves for `b` as well. */
export function sameGuest(a: GuestFacts, b: GuestFacts): boolean {
  // DNS servers reach a guest at its next restart (DNS-6).
  const { dnsServers: _a, ...own } = a;
  const { dnsServers: _b, ...other } = b;
  return JSON.stringify(own) === JSON.stringify(other);
}

/** Public addresses of a network: the Internet routes packets for them back to it. */
export function publicAddresses(compiled: Compiled): ReadonlySet<number> {
  const { publicIps, natPools } = compiled.program;
  return new Set([...publicIps.address, ...natPools.address].map((address) => address >>> 0));
}

/**
 * The default guest for these facts, and the host stack that it is or has. `world` is the network around it.
 */
export function makeGuest(
  facts: GuestFacts,
  port: GuestPort,
  world: GuestWorld,
): { readonly guest: Guest; readonly host: Host } {
  const made = makeGuestOf(facts, port, world);
  rememberDnsServers(made.host, facts);
  return made;
}

function makeGuestOf(
  facts: GuestFacts,
  port: GuestPort,
  world: GuestWorld,
): { readonly guest: Guest; readonly host: Host } {
  const { addresses, mac, mtu, settings } = facts;
  const common = {
    addresses,
    mac,
    mtu,
    ...(settings.listen === undefined ? {} : { listen: settings.listen }),
    ...(settings.ping === undefined ? {} : { answerPing: settings.ping }),
    ...guestExtras(facts, world),
  };
  switch (facts.kind) {
    case 'nic':
      return makeNicGuest(facts, { ...common, ...linkOf(facts) }, port);
    case 'provider': {
      const [backendAddress = 0] = addresses;
      const host = new Service(port, { ...common, backendAddress, ports: facts.ports ?? [] });
      return { guest: host, host };
    }
    case 'platform': {
      const host = new Host(port, { ...common, arp: false, listen: PLATFORM_PORTS, answerPing: false });
      return { guest: host, host };
    }
    case 'internet': {
      const host = new Host(port, { ...common, arp: false, anyAddress: true });
      return { guest: new InternetGuest(port, host, (address) => world.isOwnPublic(address)), host };
    }
    default: {
      const host = new Host(port, { ...common, arp: false, anyAddress: true });
      return { guest: host, host };
    }
  }
}

/** The Internet: hosts at every address, and routers that bring packets for our own public addresses back to us. */
class InternetGuest implements Guest {
  readonly #port: GuestPort;
  readonly #host: Host;
  readonly #isOwnPublic: (address: number) => boolean;

  constructor(port: GuestPort, host: Host, isOwnPublic: (address: number) => boolean) {
    this.#port = port;
    this.#host = host;
    this.#isOwnPublic = isOwnPublic;
  }

  receive(frame: Uint8Array, meta: FrameMeta): void {
    const isOwn = frame.length >= ETHERNET_HEADER + 20 && this.#isOwnPublic(ipv4Dst(viewOf(frame), ETHERNET_HEADER));
    if (isOwn) this.#port.send(frame, meta);
    else this.#host.receive(frame, meta);
  }
}

type HostLike = ConstructorParameters<typeof Host>[1];

function makeNicGuest(facts: GuestFacts, options: HostLike, port: GuestPort): { guest: Guest; host: Host } {
  if (facts.appliance === undefined) {
    const host = new Host(port, options);
    return { guest: host, host };
  }
  const appliance = new Appliance(port, { ...options, ...facts.appliance });
  return { guest: appliance, host: appliance };
}

// Linux guests ask for the gateway's MAC address for everything outside their subnet; the fabric answers either way.
function linkOf(facts: GuestFacts): Partial<HostLike> {
  if (facts.subnet === undefined) return {};
  const prefix = parsePrefix(facts.subnet);
  return { prefix, gateway: prefixFirst(prefix) + 1 };
}

function applianceOf(
  nic: NetworkInterface,
  behaviour: { readonly snat: boolean; readonly stateful: boolean } | undefined,
): { snat: boolean; stateful: boolean } | undefined {
  if (behaviour !== undefined) return { snat: behaviour.snat, stateful: behaviour.stateful };
  return nic.properties.enableIPForwarding ? { snat: false, stateful: false } : undefined;
}

function addressesOf(nic: NetworkInterface): number[] {
  const configurations = nic.properties.ipConfigurations;
  const primary = configurations.filter((entry) => entry.properties.primary);
  const others = configurations.filter((entry) => !entry.properties.primary);
  return [...primary, ...others].map((entry) => parseIpv4(entry.properties.privateIPAddress));
}

/** Network, service and DNS servers of a NIC: its own setting, else its network's, else Azure's (DNS-6). */
function placeOf(compiled: Compiled, nic: NetworkInterface): Partial<GuestFacts> {
  const subnet = nic.properties.ipConfigurations[0]?.properties.subnet.id ?? '';
  const vnet = compiled.network.virtualNetworks.find((entry) =>
    idKey(subnet).startsWith(`${idKey(entry.id)}/subnets/`),
  );
  const own = nic.properties.dnsSettings?.dnsServers ?? [];
  const servers = own.length > 0 ? own : (vnet?.properties.dhcpOptions?.dnsServers ?? []);
  const dnsServers = servers.length === 0 ? PLATFORM_ADDRESSES.slice(0, 1) : servers.map(parseIpv4);
  const { service } = nic.properties;
  return { dnsServers, ...(vnet && { vnet: vnet.id }), ...(service && { service: service.id }) };
}

/** The target of an endpoint's connection. */
function targetOf(compiled: Compiled, info: AttachmentInfo): Partial<GuestFacts> {
  const endpoint = compiled.network.privateEndpoints.find((entry) => idKey(entry.id) === idKey(info.id))?.properties;
  const [connection] = [
    ...(endpoint?.privateLinkServiceConnections ?? []),
    ...(endpoint?.manualPrivateLinkServiceConnections ?? []),
  ];
  return connection === undefined ? {} : { service: connection.properties.privateLinkServiceId };
}

function subnetOf(compiled: Compiled, nic: NetworkInterface): { subnet?: string } {
  const id = nic.properties.ipConfigurations[0]?.properties.subnet.id;
  const subnets = compiled.network.virtualNetworks.flatMap((vnet) => vnet.properties.subnets);
  const subnet = subnets.find((entry) => id !== undefined && idKey(entry.id) === idKey(id));
  return subnet === undefined ? {} : { subnet: formatPrefix(parsePrefix(subnet.properties.addressPrefix)) };
}

function portsOf(compiled: Compiled, attachment: number): number[] {
  const { provider, portStart, portFirst, portLast } = compiled.program.endpoints;
  const ports: number[] = [];
  const endpoint = provider.indexOf(attachment);
  if (endpoint === -1) return ports;
  for (let row = portStart[endpoint] as number; row < (portStart[endpoint + 1] as number); row++) {
    for (let port = portFirst[row] as number; port <= (portLast[row] as number); port++) ports.push(port);
  }
  return ports;
}
