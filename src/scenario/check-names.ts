// Checks every name that the steps of a scenario use against the network as it is at the start, and every connection or
// load against the steps before it, so that a typing error is found before anything runs.

import { DROP_REASONS } from '../abi/drop-reasons.ts';
import { STAGE } from '../abi/provenance.ts';
import { isDnsName } from '../wire/dns.ts';
import { idKey } from '../control/model/resources.ts';
import { nameHint } from '../control/validate/suggestion.ts';
import { asList } from './format/common-schemas.ts';
import { pathText } from './format/zod-issues.ts';
import { parseTcpFlags } from './headers.ts';
import { Directory, splitPort } from './names.ts';
import type { Compiled } from '../control/compile/compiled.ts';
import type { Issue } from '../control/issues.ts';
import type { ScenarioIssueCode } from './codes.ts';
import type { Expectation } from './format/expectation-schema.ts';
import type { DataPath, YamlSource } from './format/yaml-source.ts';
import type { NameProblem } from './names.ts';
import type { ParsedStep } from './scenario.ts';

/** A step with its place in the file's list of steps. */
export interface PlacedStep {
  readonly index: number;
  readonly step: ParsedStep;
}

/** All problems with the names in steps and settings. */
export function checkNames(
  compiled: Compiled,
  steps: readonly PlacedStep[],
  settings: { readonly links?: object | undefined; readonly hosts?: object | undefined },
  source: YamlSource,
): Issue[] {
  const checker = new Checker(compiled, source);
  for (const key of ['links', 'hosts'] as const) {
    for (const name of Object.keys(settings[key] ?? {})) checker.place([key, name], name);
  }
  for (const { index, step } of steps) checker.step(['steps', index], step);
  return checker.issues;
}

class Checker {
  readonly issues: Issue[] = [];
  readonly #compiled: Compiled;
  readonly #directory: Directory;
  readonly #source: YamlSource;
  readonly #connections = new Set<string>();
  readonly #loads = new Set<string>();

  constructor(compiled: Compiled, source: YamlSource) {
    this.#compiled = compiled;
    this.#source = source;
    this.#directory = new Directory(compiled);
  }

  step(base: DataPath, step: ParsedStep): void {
    if (step.expect !== undefined) this.#expectation([...base, 'expect'], step.expect);
    const path = [...base, step.action];
    switch (step.action) {
      case 'connect':
        this.#route(path, step.value.from, step.value.to, true);
        if (step.value.keep !== undefined) this.#define(this.#connections, [...path, 'keep'], step.value.keep);
        return;
      case 'udp':
        return this.#route(path, step.value.from, step.value.to, true);
      case 'ping':
        return this.#route(path, step.value.from, step.value.to, false);
      case 'packet':
        return this.#packet(path, step.value);
      case 'send':
        return this.#refer(this.#connections, [...path, 'on'], step.value.on, 'connection');
      case 'close':
        return this.#refer(this.#connections, path, step.value, 'connection');
      case 'load':
        for (const from of asList(step.value.from)) this.#route(path, from, step.value.to, true);
        if (step.value.background === true) this.#define(this.#loads, path, step.name ?? 'load');
        return;
      case 'wait':
        return this.#refer(this.#loads, path, step.value, 'background load');
      case 'replay':
        return this.#problemAt([...path, 'from'], this.#directory.sender(step.value.from));
      case 'link':
        return this.place([...path, 'attachment'], step.value.attachment);
      case 'advance':
        return;
      case 'resolve':
        return this.#resolve(path, step.value);
      case 'sql':
        return this.#route(path, step.value.from, step.value.to, false);
      case 'restart':
        return this.place(path, step.value);
      case 'setListen':
        return this.place([...path, 'nic'], step.value.nic);
      default:
        return this.#change(path, step);
    }
  }

  /** A name that must stand for a place. */
  place(path: DataPath, name: string): void {
    if (this.#directory.isPlace(name)) return;
    this.#unknown(path, name, 'place', this.#directory.names());
  }

  #change(path: DataPath, step: ParsedStep): void {
    const { network } = this.#compiled;
    switch (step.action) {
      case 'approve':
      case 'reject':
        return this.#named(path, endpointOf(step.value), 'private endpoint', network.privateEndpoints);
      case 'remove': {
        const { nic, endpoint, connection } = step.value;
        if (nic !== undefined) this.#named([...path, 'nic'], nic, 'NIC', network.networkInterfaces);
        const [key, name] = endpoint === undefined ? ['connection', connection] : ['endpoint', endpoint];
        if (name !== undefined) this.#named([...path, key], name, 'private endpoint', network.privateEndpoints);
        return;
      }
      case 'setRule':
      case 'removeRule':
      case 'setFlushConnection': {
        const groups = network.networkSecurityGroups;
        return this.#named([...path, 'nsg'], step.value.nsg, 'network security group', groups);
      }
      case 'setRoute':
      case 'removeRoute':
        return this.#named([...path, 'table'], step.value.table, 'route table', network.routeTables);
      case 'setEndpoint':
        return this.#named([...path, 'endpoint'], step.value.endpoint, 'private endpoint', network.privateEndpoints);
      case 'setForwarding':
        return this.#named([...path, 'nic'], step.value.nic, 'NIC', network.networkInterfaces);
      case 'setPolicies': {
        const subnets = network.virtualNetworks.flatMap((vnet) =>
          vnet.properties.subnets.map((subnet) => ({ id: subnet.id, name: `${vnet.name}/${subnet.name}` })),
        );
        return this.#named([...path, 'subnet'], step.value.subnet, 'subnet', subnets);
      }
      case 'setRecord':
      case 'removeRecord':
        return this.#named([...path, 'zone'], step.value.zone, 'private DNS zone', network.privateDnsZones);
      case 'linkZone':
      case 'unlinkZone':
        this.#named([...path, 'zone'], step.value.zone, 'private DNS zone', network.privateDnsZones);
        return this.#named([...path, 'network'], step.value.network, 'virtual network', network.virtualNetworks);
      case 'setDnsServers':
        return this.#dnsServers(path, step.value);
      case 'setPeering':
      case 'removePeering':
        return this.#peering(path, step.value);
      default:
        return;
    }
  }

  #dnsServers(path: DataPath, value: Extract<ParsedStep, { action: 'setDnsServers' }>['value']): void {
    const { virtualNetworks, networkInterfaces } = this.#compiled.network;
    const { network, nic } = value;
    if ((network === undefined) === (nic === undefined)) {
      const hint = "write 'network' or 'nic'";
      this.#add('SCENARIO_VALUE', path, 'DNS servers are those of a network or of a NIC', hint);
    }
    if (network !== undefined) this.#named([...path, 'network'], network, 'virtual network', virtualNetworks);
    if (nic !== undefined) this.#named([...path, 'nic'], nic, 'NIC', networkInterfaces);
  }

  #peering(path: DataPath, value: { between: readonly [string, string] }): void {
    const { virtualNetworks } = this.#compiled.network;
    for (const [index, name] of value.between.entries()) {
      this.#named([...path, 'between', index], name, 'virtual network', virtualNetworks);
    }
    for (const key of Object.keys(value)) {
      if (key !== 'between' && !value.between.includes(key)) {
        this.#add(
          'SCENARIO_UNKNOWN_KEY',
          [...path, key],
          `unknown key '${key}'`,
          nameHint(key, value.between, ''),
          true,
        );
      }
    }
  }

  #route(path: DataPath, from: string, to: string, needsPort: boolean): void {
    const sender = this.#directory.sender(from);
    if ('problem' in sender) return this.#problemAt([...path, 'from'], sender);
    // What DNS says to a host name, and whether anything, is found out when the step runs.
    if (this.#directory.dnsName(to) === undefined) {
      const receiver = this.#directory.receiver(to, sender.value);
      if ('problem' in receiver) return this.#problemAt([...path, 'to'], receiver);
    }
    if (!needsPort || splitPort(to)[1] !== undefined) return;
    const hint = `write ${to}:443, or the port you mean`;
    this.#add('SCENARIO_NO_PORT', [...path, 'to'], `'${to}' names no port`, hint);
  }

  #resolve(path: DataPath, value: Extract<ParsedStep, { action: 'resolve' }>['value']): void {
    const sender = this.#directory.sender(value.from);
    if ('problem' in sender) return this.#problemAt([...path, 'from'], sender);
    if (!isDnsName(value.name)) {
      const hint = 'write labels of 1 to 63 characters, with dots between them';
      this.#add('SCENARIO_VALUE', [...path, 'name'], `'${value.name}' is not a DNS name`, hint);
    }
    if (value.server === undefined) return;
    this.#problemAt([...path, 'server'], this.#directory.receiver(value.server, sender.value));
  }

  #packet(path: DataPath, value: Extract<ParsedStep, { action: 'packet' }>['value']): void {
    const { from, to, raw, tcp, udp, icmp, protocol } = value;
    const kinds = [tcp, udp, icmp, protocol].filter((kind) => kind !== undefined).length;
    if (raw !== undefined) {
      this.#problemAt([...path, 'from'], this.#directory.sender(from));
      const isEmpty = raw.replaceAll(/\s/g, '').length % 2 !== 0;
      if (isEmpty)
        this.#add('SCENARIO_FRAME', [...path, 'raw'], 'the frame has half a byte', 'write two digits per byte');
      return;
    }
    if (to === undefined) {
      this.#add('SCENARIO_MISSING_KEY', path, "the key 'to' is missing", "add 'to', or give the whole frame as 'raw'");
      return;
    }
    this.#route(path, from, to, false);
    if (kinds > 1) {
      const hint = 'keep one of tcp, udp, icmp and protocol';
      this.#add('SCENARIO_VALUE', path, 'a packet has one protocol', hint);
    }
    if (tcp?.flags !== undefined && parseTcpFlags(tcp.flags) === undefined) {
      const hint = 'write letters as tcpdump does: S, S., ., P., F., R';
      this.#add('SCENARIO_VALUE', [...path, 'tcp', 'flags'], `'${tcp.flags}' are no TCP flags`, hint);
    }
  }

  #expectation(path: DataPath, expect: Expectation): void {
    const { at, to, via, seenBy, notSeenBy, by, reason, stage } = expect;
    if (at !== undefined) this.#endPlace([...path, 'at'], at);
    if (to !== undefined) this.place([...path, 'to'], to);
    this.#places([...path, 'via'], via ?? []);
    for (const name of Object.keys(seenBy ?? {})) this.place([...path, 'seenBy', name], name);
    this.#places([...path, 'notSeenBy'], notSeenBy ?? []);
    if (by !== undefined) this.#decider([...path, 'by'], by);
    if (reason !== undefined) this.#oneOf([...path, 'reason'], reason, 'drop reason', Object.keys(DROP_REASONS));
    if (stage !== undefined) this.#oneOf([...path, 'stage'], stage, 'stage', Object.keys(STAGE));
  }

  #places(path: DataPath, names: string | readonly string[]): void {
    if (typeof names === 'string') return this.place(path, names);
    for (const [index, name] of names.entries()) this.place([...path, index], name);
  }

  #endPlace(path: DataPath, text: string): void {
    const colon = text.lastIndexOf(':');
    if (this.#directory.isPlace(text)) return;
    if (colon === -1) return this.place(path, text);
    this.place(path, text.slice(0, colon));
    this.#oneOf(path, text.slice(colon + 1), 'stage', Object.keys(STAGE));
  }

  #decider(path: DataPath, text: string): void {
    const [nsg, rule] = text.split('/');
    if (text.toLowerCase() === 'flow') return;
    const { networkSecurityGroups, privateEndpoints } = this.#compiled.network;
    if (rule === undefined) return this.#named(path, text, 'private endpoint', privateEndpoints);
    this.#named(path, nsg ?? '', 'network security group', networkSecurityGroups);
  }

  #oneOf(path: DataPath, text: string, kind: string, known: readonly string[]): void {
    if (!known.some((name) => name.toLowerCase() === text.toLowerCase())) this.#unknown(path, text, kind, known);
  }

  #named(path: DataPath, name: string, kind: string, list: readonly { name: string; id: string }[]): void {
    const found = list.filter(
      (entry) => entry.name.toLowerCase() === name.toLowerCase() || idKey(entry.id) === idKey(name),
    );
    if (found.length === 1) return;
    if (found.length === 0) {
      const names = list.map((entry) => entry.name);
      return this.#unknown(path, name, kind, names);
    }
    const hint = `write the id of one: ${found.map((entry) => entry.id).join(', ')}`;
    this.#add('SCENARIO_AMBIGUOUS_NAME', path, `'${name}' stands for several: ${kind}`, hint);
  }

  #define(known: Set<string>, path: DataPath, name: string): void {
    if (known.has(name)) {
      this.#add(
        'SCENARIO_DUPLICATE_NAME',
        path,
        `the name '${name}' is taken by an earlier step`,
        'choose another name',
      );
    }
    known.add(name);
  }

  #refer(known: Set<string>, path: DataPath, name: string, kind: string): void {
    if (known.has(name)) return;
    const make = kind === 'connection' ? "a 'connect' with 'keep'" : "a 'load' with 'background: true'";
    const hint = nameHint(name, [...known], `make it with ${make} in an earlier step`);
    this.#add('SCENARIO_UNKNOWN_REFERENCE', path, `no earlier step made a ${kind} '${name}'`, hint);
  }

  #problemAt(path: DataPath, resolved: { problem: NameProblem } | { value: unknown }): void {
    if (!('problem' in resolved)) return;
    const { code, message, hint } = resolved.problem;
    this.#add(code, path, message, hint);
  }

  #unknown(path: DataPath, name: string, kind: string, known: readonly string[]): void {
    const hint = nameHint(name, known, `the network has no ${kind}`);
    this.#add('SCENARIO_UNKNOWN_NAME', path, `unknown ${kind} '${name}'`, hint);
  }

  #add(code: ScenarioIssueCode, path: DataPath, message: string, hint: string, key = false): void {
    const source = key ? this.#source.locateKey(path) : this.#source.locate(path);
    this.issues.push({ code, severity: 'error', message, hint, source, path: pathText(path) });
  }
}

function endpointOf(value: string | { readonly endpoint: string }): string {
  return typeof value === 'string' ? value : value.endpoint;
}
