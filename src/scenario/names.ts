// What the names in scenarios, assertions and `explain` stand for: who sends, from which attachment and address, and
// which address a destination is. Names compare without regard to case, as Azure's do.

import { parseIpv4, tryParseIpv4 } from '../wire/index.ts';
import { isDnsName } from '../wire/dns.ts';
import { modelsDns } from '../control/dns/resolve.ts';
import { idKey } from '../control/model/resources.ts';
import { nameHint } from '../control/validate/suggestion.ts';
import type { AttachmentInfo, Compiled } from '../control/compile/compiled.ts';
import type { Network, NetworkInterface, PrivateEndpoint, PrivateLinkResource } from '../control/model/resources.ts';
import type { ScenarioIssueCode } from './codes.ts';

/** An attachment that sends, and the address it sends from. */
export interface Sender {
  readonly attachment: number;
  readonly name: string;
  readonly address: number;
  readonly kind: AttachmentInfo['kind'];
  /** Network of a NIC. */
  readonly vnet?: string;
}

export interface Receiver {
  readonly address: number;
  readonly port?: number;
}

/** Why a name leads nowhere. */
export interface NameProblem {
  readonly code: ScenarioIssueCode;
  readonly message: string;
  readonly hint: string;
}

export type Resolved<T> = { readonly value: T } | { readonly problem: NameProblem };

const EXIT_KINDS: ReadonlySet<string> = new Set(['internet', 'onPremises', 'platform', 'service']);

/** Resolves names against one network. Make a new one when the network has changed. */
export class Directory {
  readonly #compiled: Compiled;
  readonly #network: Network;
  readonly #endpointsByName: ReadonlyMap<string, readonly PrivateEndpoint[]>;

  constructor(compiled: Compiled) {
    this.#compiled = compiled;
    this.#network = compiled.network;
    this.#endpointsByName = endpointsByName(compiled.network);
  }

  /** All names that can stand for a place, for hints. */
  names(): string[] {
    const { networkInterfaces, privateEndpoints, privateLinkResources, staticNames } = this.#network;
    const resources = [...networkInterfaces, ...privateEndpoints, ...privateLinkResources];
    const exits = this.#attachments().filter((info) => EXIT_KINDS.has(info.kind));
    return [...resources, ...staticNames, ...exits].map((entry) => entry.name);
  }

  /** Who sends: a NIC, a service or endpoint (its service side), or an exit, `internet@203.0.113.7`. */
  sender(text: string): Resolved<Sender> {
    const [name, at] = splitAt(text);
    const nic = this.#nic(name);
    if (nic !== undefined && 'problem' in nic) return nic;
    if (nic !== undefined) return withAddress(at, this.#nicSender(nic.value));
    const exit = this.#exit(name);
    if (exit !== undefined) return withAddress(at, exit);
    return this.#provider(name, at);
  }

  /** Which address `to` is for this sender, with the port when one is written. */
  receiver(text: string, from: Sender): Resolved<Receiver> {
    const [target, port] = splitPort(text);
    if (port !== undefined && (port > 65535 || port < 0)) {
      return problem('SCENARIO_VALUE', `'${text}': ${port} is not a port`, 'use 0 to 65535');
    }
    const address = this.#address(target, from);
    if ('problem' in address) return address;
    return { value: { address: address.value, ...(port === undefined ? {} : { port }) } };
  }

  /**
   * The host name in `to` that the sender's guest asks DNS for: where the network models DNS, nobody stated the name
   * (the hosts file comes first) and no resource is called so. Undefined for everything else.
   */
  dnsName(text: string): string | undefined {
    const [target] = splitPort(text);
    const isHostName = target.includes('.') && !target.includes('@') && !target.includes('/') && isDnsName(target);
    if (!modelsDns(this.#network) || !isHostName || tryParseIpv4(target) !== undefined) return undefined;
    const { networkInterfaces, privateEndpoints, publicIPAddresses, staticNames } = this.#network;
    const isResource = named([...networkInterfaces, ...privateEndpoints, ...publicIPAddresses], target).length > 0;
    const isStated = staticNames.some((entry) => sameName(entry.name, target));
    return isResource || isStated || this.#exit(target) !== undefined ? undefined : target;
  }

  /** True when the name can be a place: an attachment, a service, or a side such as `pe.consumer`. */
  isPlace(text: string): boolean {
    const name = text.replace(/\.(consumer|provider|in|out)$/i, '').replace(/^provider:/i, '');
    if (this.#exit(name) !== undefined) return true;
    const { networkInterfaces, privateEndpoints, privateLinkResources } = this.#network;
    return named([...networkInterfaces, ...privateEndpoints, ...privateLinkResources], name).length > 0;
  }

  #address(target: string, from: Sender): Resolved<number> {
    const plain = tryParseIpv4(target);
    if (plain !== undefined) return { value: plain };
    const [name, at] = splitAt(target);
    const nic = this.#nic(name);
    if (nic !== undefined && 'problem' in nic) return nic;
    if (nic !== undefined) return this.#nicAddress(nic.value, from);
    const [endpoint] = named(this.#network.privateEndpoints, name);
    if (endpoint !== undefined) return addressOf(endpoint.properties.privateIPAddress, name);
    const exit = this.#exit(name);
    if (exit !== undefined) {
      const chosen = withAddress(at, exit);
      return 'problem' in chosen ? chosen : { value: chosen.value.address };
    }
    const [publicIp] = named(this.#network.publicIPAddresses, name);
    if (publicIp !== undefined) return addressOf(publicIp.properties.ipAddress, name);
    return this.#hostName(name, from);
  }

  // From the Internet a NIC is reached at its public address only (NET-11).
  #nicAddress(nic: NetworkInterface, from: Sender): Resolved<number> {
    if (from.kind !== 'internet') return { value: primaryAddress(nic) };
    const configurations = nic.properties.ipConfigurations;
    const reference = configurations.find((entry) => entry.properties.publicIPAddress)?.properties.publicIPAddress;
    const publicIp = this.#network.publicIPAddresses.find(
      (entry) => reference !== undefined && idKey(entry.id) === idKey(reference.id),
    );
    if (publicIp !== undefined) return addressOf(publicIp.properties.ipAddress, nic.name);
    const message = `'${nic.name}' has no public IP address, so nobody on the Internet can address it`;
    return problem('SCENARIO_NO_ADDRESS', message, 'give the NIC a public IP address, or write an address');
  }

  // Resolves as the sender would: the endpoint in its own network first, then the only one there is.
  #hostName(name: string, from: Sender): Resolved<number> {
    const entry = this.#network.staticNames.find((candidate) => sameName(candidate.name, name));
    if (entry !== undefined) return this.#staticTarget(entry.target, name);
    const endpoints = this.#endpointsByName.get(name.toLowerCase());
    if (endpoints === undefined) {
      const code = 'SCENARIO_UNKNOWN_NAME';
      const hint = nameHint(name, this.names(), 'write an IPv4 address');
      return problem(code, `'${name}' is no NIC, endpoint, host name or address of this network`, hint);
    }
    const own = endpoints.filter((endpoint) => this.#vnetOf(endpoint) === from.vnet);
    const [chosen, second] = own.length > 0 ? own : endpoints;
    if (chosen === undefined) {
      return problem(
        'SCENARIO_NO_ADDRESS',
        `'${name}' has no private endpoint`,
        'add an endpoint, or write an address',
      );
    }
    if (second !== undefined) {
      const names = endpoints.map((endpoint) => endpoint.name).join(', ');
      return problem('SCENARIO_AMBIGUOUS_NAME', `'${name}' is behind several endpoints: ${names}`, 'name one of them');
    }
    return addressOf(chosen.properties.privateIPAddress, name);
  }

  #staticTarget(target: string, name: string): Resolved<number> {
    const plain = tryParseIpv4(target);
    if (plain !== undefined) return { value: plain };
    const key = idKey(target);
    const nic = this.#network.networkInterfaces.find(
      (entry) => idKey(entry.id) === key || sameName(entry.name, target),
    );
    if (nic !== undefined) return { value: primaryAddress(nic) };
    const endpoint = this.#network.privateEndpoints.find(
      (entry) => idKey(entry.id) === key || sameName(entry.name, target),
    );
    return addressOf(endpoint?.properties.privateIPAddress, name);
  }

  #nic(name: string): Resolved<NetworkInterface> | undefined {
    const found = named(this.#network.networkInterfaces, name);
    const [nic] = found;
    if (nic === undefined) return undefined;
    if (found.length === 1) return { value: nic };
    const ids = found.map((entry) => entry.id).join(', ');
    return problem('SCENARIO_AMBIGUOUS_NAME', `'${name}' stands for several NICs`, `write the id of one: ${ids}`);
  }

  #provider(name: string, at: string | undefined): Resolved<Sender> {
    const bare = name.replace(/^provider:/i, '');
    const [byName] = named(this.#network.privateEndpoints, bare);
    const [service] = named(this.#network.privateLinkResources, bare);
    const behind = service === undefined ? [] : endpointsOf(this.#network, service);
    const endpoints = byName === undefined ? behind : [byName];
    const [endpoint, second] = endpoints;
    if (endpoint === undefined) {
      const hint = nameHint(name, this.names(), 'see the topology for names');
      return problem('SCENARIO_UNKNOWN_NAME', `'${name}' is no NIC, service, endpoint or exit of this network`, hint);
    }
    if (second !== undefined) {
      const names = endpoints.map((entry) => `provider:${entry.name}`).join(', ');
      return problem('SCENARIO_AMBIGUOUS_NAME', `'${name}' is behind several endpoints`, `write one of: ${names}`);
    }
    const info = this.#attachments().find(
      (entry) => entry.kind === 'provider' && idKey(entry.id) === idKey(endpoint.id),
    );
    if (info === undefined) throw new Error(`the provider side of ${endpoint.name} has no attachment`);
    return withAddress(at, this.#sender(info));
  }

  #exit(name: string): Sender | undefined {
    const info = this.#attachments().find((entry) => EXIT_KINDS.has(entry.kind) && sameName(entry.name, name));
    return info === undefined ? undefined : this.#sender(info);
  }

  #nicSender(nic: NetworkInterface): Sender {
    const info = this.#attachments().find((entry) => entry.kind === 'nic' && idKey(entry.id) === idKey(nic.id));
    if (info === undefined) throw new Error(`NIC ${nic.name} has no attachment`);
    const subnet = nic.properties.ipConfigurations[0]?.properties.subnet.id ?? '';
    return { ...this.#sender(info), vnet: subnetVnetKey(subnet) };
  }

  #sender(info: AttachmentInfo): Sender {
    const { attachment, name, kind } = info;
    const address = (this.#compiled.program.attachments.address[attachment] as number) >>> 0;
    return { attachment, name, kind, address };
  }

  #attachments(): AttachmentInfo[] {
    return this.#compiled.sideTable.attachments.filter((info) => info !== undefined);
  }

  #vnetOf(endpoint: PrivateEndpoint): string {
    return subnetVnetKey(endpoint.properties.subnet.id);
  }
}

/** The primary address of a NIC. */
export function primaryAddress(nic: NetworkInterface): number {
  const { ipConfigurations } = nic.properties;
  const primary = ipConfigurations.find((entry) => entry.properties.primary) ?? ipConfigurations[0];
  return parseIpv4(primary?.properties.privateIPAddress ?? '');
}

/** `host:443` as host and port; a text without a port stays whole. */
export function splitPort(text: string): [target: string, port: number | undefined] {
  const match = /^(.*):(\d{1,5})$/.exec(text);
  return match === null ? [text, undefined] : [match[1] as string, Number(match[2])];
}

function endpointsOf(network: Network, service: PrivateLinkResource): PrivateEndpoint[] {
  return network.privateEndpoints.filter((endpoint) => targetIds(endpoint).includes(idKey(service.id)));
}

function targetIds(endpoint: PrivateEndpoint): string[] {
  const { privateLinkServiceConnections, manualPrivateLinkServiceConnections } = endpoint.properties;
  const connections = [...privateLinkServiceConnections, ...manualPrivateLinkServiceConnections];
  return connections.map((connection) => idKey(connection.properties.privateLinkServiceId));
}

// Host names, and the names of services, to the endpoints that lead to them.
function endpointsByName(network: Network): Map<string, PrivateEndpoint[]> {
  const names = new Map<string, PrivateEndpoint[]>();
  const add = (name: string, endpoint: PrivateEndpoint): void => {
    const known = names.get(name.toLowerCase()) ?? [];
    if (!known.includes(endpoint)) names.set(name.toLowerCase(), [...known, endpoint]);
  };
  for (const service of network.privateLinkResources) {
    for (const name of [service.name, ...service.properties.hostNames]) {
      names.set(name.toLowerCase(), names.get(name.toLowerCase()) ?? []);
      for (const endpoint of endpointsOf(network, service)) add(name, endpoint);
    }
  }
  for (const endpoint of network.privateEndpoints) {
    for (const config of endpoint.properties.customDnsConfigs) add(config.fqdn, endpoint);
  }
  return names;
}

function withAddress(at: string | undefined, sender: Sender): Resolved<Sender> {
  if (at === undefined && sender.address === 0) {
    const hint = `write for example ${sender.name}@192.168.1.10`;
    return problem('SCENARIO_NO_ADDRESS', `'${sender.name}' stands for many addresses; none is chosen`, hint);
  }
  if (at === undefined) return { value: sender };
  const address = tryParseIpv4(at);
  if (address !== undefined) return { value: { ...sender, address } };
  return problem('SCENARIO_VALUE', `'${at}' is not an IPv4 address`, `write for example ${sender.name}@203.0.113.7`);
}

function addressOf(text: string | undefined, name: string): Resolved<number> {
  const address = tryParseIpv4(text ?? '');
  if (address !== undefined) return { value: address };
  return problem('SCENARIO_NO_ADDRESS', `'${name}' has no address`, 'give it one in the topology');
}

function problem(code: ScenarioIssueCode, message: string, hint: string): { problem: NameProblem } {
  return { problem: { code, message, hint } };
}

function named<T extends { readonly name: string; readonly id: string }>(list: readonly T[], name: string): T[] {
  return list.filter((entry) => sameName(entry.name, name) || idKey(entry.id) === idKey(name));
}

function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function splitAt(text: string): [name: string, at: string | undefined] {
  const at = text.lastIndexOf('@');
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function subnetVnetKey(subnetId: string): string {
  return idKey(subnetId).replace(/\/subnets\/[^/]+$/, '');
}
