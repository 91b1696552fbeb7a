// Reading networks: files, directories, texts and parsed values in any mixture, Azure resource objects or short
// topologies, merged into one model. Bad input never throws: everything wrong is in the issues, all at once.

import { INPUT_DEPTH_MAX } from '../../abi/limits.ts';
import { hasErrors } from '../issues.ts';
import type { Issue } from '../issues.ts';
import { behaviourOf } from '../model/profile.ts';
import type { Behaviour, ProfileName, SwitchName, Switches, SwitchValue } from '../model/profile.ts';
import type { Network, ServiceTagTable } from '../model/resources.ts';
import { parseDocumentText, readDocuments, readInputText } from './documents.ts';
import type { InputDocument } from './documents.ts';
import { isObject } from './resources/fields.ts';
import { IssueList } from './issue-list.ts';
import { setMember } from './json-text.ts';
import { networkFromResources } from './resources/network.ts';
import type { StatedName } from './resources/network.ts';
import { fileAt, rememberPath } from './places.ts';
import type { At, Locate } from './places.ts';
import { holdsResources, isTemplate, listResources } from './resources/raw-resources.ts';
import type { RawResource } from './resources/raw-resources.ts';
import { DEFAULT_SERVICE_TAGS, loadServiceTags, mergeServiceTags } from './service-tags.ts';
import { NameTable } from './topology/names.ts';
import type { Topology } from './topology/schema.ts';
import { checkTopologyShape } from './topology/shape.ts';
import { expandTopology } from './topology/topology.ts';

export { INPUT_ISSUE_CODES } from './issue-list.ts';
export type { InputIssueCode } from './issue-list.ts';
export { networkFromResources } from './resources/network.ts';
export type { ResourceOptions } from './resources/network.ts';
export type { Locate } from './places.ts';
export type { RawResource } from './resources/raw-resources.ts';
export { DEFAULT_SERVICE_TAGS, loadServiceTags } from './service-tags.ts';
export { suggest } from './suggestions.ts';
export { topologyJsonSchema } from './topology/schema.ts';

export interface ReadOptions {
  /** Behaviour in force; default: what the topologies say, else the default profile. */
  readonly behaviour?: Behaviour;
  /** Published service tag files; their tags replace those of the built-in table. */
  readonly serviceTagFiles?: readonly string[];
}

export interface ReadResult {
  /**
   * Undefined when nothing could be read. With errors among the issues it lacks what is broken: good enough to look
   * for further problems, not to be run.
   */
  readonly network: Network | undefined;
  readonly issues: readonly Issue[];
  /** Resources in the network; children (subnets, rules, routes) do not count. */
  readonly resourceCount: number;
  /** As the topologies say. */
  readonly profile?: ProfileName;
  readonly switches?: Partial<Switches>;
}

/** Reads files (`.json`, `.yaml`, `.yml`) and directories into one network. */
export function readNetwork(paths: readonly string[], options: ReadOptions = {}): ReadResult {
  const issues = new IssueList();
  const documents = readDocuments(paths, issues);
  return assemble(documents, options, issues);
}

/** Reads one text; `file` is only its name, whose ending decides between JSON and YAML. */
export function readNetworkText(text: string, file: string, options: ReadOptions = {}): ReadResult {
  const issues = new IssueList();
  const document = parseDocumentText(text, file, issues);
  return assemble(document === undefined ? [] : [document], options, issues);
}

export interface ReadValueOptions extends ReadOptions {
  /** Finds places in the text that the value was parsed from. */
  readonly locate?: Locate;
}

/** Reads a value that is already parsed, such as the topology inside a scenario file. The value is not changed. */
export function readNetworkValue(value: unknown, file: string, options: ReadValueOptions = {}): ReadResult {
  const issues = new IssueList();
  const copy = copyValue(value, [], options.locate ?? (() => undefined), 0);
  return assemble([{ file, value: copy }], options, issues);
}

/** A copy whose parts remember their path; deeper than any real input it becomes null. */
function copyValue(value: unknown, path: readonly (string | number)[], locate: Locate, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth > INPUT_DEPTH_MAX) return null;
  if (Array.isArray(value)) {
    const list: unknown[] = value.map((item, index) => copyValue(item, [...path, index], locate, depth + 1));
    rememberPath(list, path, locate);
    return list;
  }
  const object = {};
  for (const [key, member] of Object.entries(value)) {
    setMember(object, key, copyValue(member, [...path, key], locate, depth + 1));
  }
  rememberPath(object, path, locate);
  return object;
}

function assemble(documents: readonly InputDocument[], options: ReadOptions, issues: IssueList): ReadResult {
  const resources: RawResource[] = [];
  const topologies: Topology[] = [];
  let readable = false;
  for (const document of documents) {
    const sorted = sortDocument(document, issues);
    if (sorted === undefined) continue;
    readable = true;
    resources.push(...sorted.resources);
    if (sorted.topology !== undefined) topologies.push(sorted.topology);
  }
  const settings = readSettings(topologies, issues);
  const behaviour = options.behaviour ?? behaviourOf(settings.profile, settings.switches);
  const tables = [DEFAULT_SERVICE_TAGS, ...readServiceTagFiles(options.serviceTagFiles ?? [], issues)];
  if (!readable) return { network: undefined, issues: issues.items, resourceCount: 0, ...settings };

  const names = new NameTable(issues);
  for (const resource of [...resources, ...topologies.flatMap((topology) => topology.resources ?? [])]) {
    names.addResource(resource);
  }
  for (const topology of topologies) names.addTopology(topology);
  const staticNames: StatedName[] = [];
  const serviceIds: string[] = [];
  for (const topology of topologies) {
    const expansion = expandTopology(topology, { names, issues, behaviour, location: topology.location });
    resources.push(...expansion.resources);
    staticNames.push(...expansion.staticNames);
    serviceIds.push(...expansion.serviceIds);
    tables.push(expansion.serviceTags);
  }
  const serviceTags = mergeServiceTags(tables);
  const factoryOutbound = behaviour.switches['adf.publicOutbound'];
  const readOptions = { serviceTags, staticNames, serviceIds, factoryOutbound };
  const { network, issues: found } = networkFromResources(resources, readOptions);
  const resourceCount = countResources(network);
  issues.items.push(...found);
  if (resourceCount === 0 && !hasErrors(issues.items)) {
    const hint = 'give files with virtual networks, or a topology';
    issues.error('RESOURCE_NONE', fileAt(documents[0]?.file ?? ''), 'the input holds no resource', hint);
  }
  return { network, issues: issues.items, resourceCount, ...settings };
}

interface SortedDocument {
  readonly resources: readonly RawResource[];
  readonly topology: Topology | undefined;
}

/** What one document holds, or undefined after an error that leaves nothing of it. */
function sortDocument(document: InputDocument, issues: IssueList): SortedDocument | undefined {
  const { value, file } = document;
  if (typeof value !== 'object' || value === null) {
    const message = 'expected a mapping or resource objects, found a single value';
    const hint = 'a topology begins with a key such as "virtualNetworks:"';
    issues.error('TOPOLOGY_NOT_MAPPING', fileAt(file), message, hint);
    return undefined;
  }
  if (isTemplate(value)) {
    const hint = 'deploy it and export the resources, or write a topology';
    issues.error('FORM_NOT_SUPPORTED', { object: value }, 'deployment templates are not read', hint);
    return undefined;
  }
  if (holdsResources(value)) return { resources: listResources(value, issues), topology: undefined };
  const topology = isObject(value) ? checkTopologyShape(value, issues) : undefined;
  return topology && { resources: [], topology };
}

interface Settings {
  readonly profile?: ProfileName;
  readonly switches?: Partial<Switches>;
}

function readSettings(topologies: readonly Topology[], issues: IssueList): Settings {
  let profile: ProfileName | undefined;
  const switches: Partial<Record<SwitchName, SwitchValue>> = {};
  for (const topology of topologies) {
    if (topology.profile !== undefined && profile !== undefined && profile !== topology.profile) {
      warnSettings(issues, { object: topology, key: 'profile' }, `profile ${topology.profile} replaces ${profile}`);
    }
    profile = topology.profile ?? profile;
    for (const [name, value] of Object.entries(topology.switches ?? {})) {
      const key = name as SwitchName;
      if (value === undefined) continue;
      const earlier = switches[key];
      if (earlier !== undefined && earlier !== value) {
        warnSettings(
          issues,
          { object: topology.switches ?? {}, key: name },
          `${name} is ${value} here and was ${earlier}`,
        );
      }
      switches[key] = value;
    }
  }
  const stated = Object.keys(switches).length > 0;
  return { ...(profile !== undefined && { profile }), ...(stated && { switches: switches as Partial<Switches> }) };
}

function warnSettings(issues: IssueList, at: At, message: string): void {
  issues.warning('SETTINGS_DIFFER', at, message, 'set it in one topology only');
}

function readServiceTagFiles(files: readonly string[], issues: IssueList): ServiceTagTable[] {
  return files.flatMap((file) => {
    const text = readInputText(file, issues);
    if (text === undefined) return [];
    const loaded = loadServiceTags(text, file);
    issues.items.push(...loaded.issues);
    return loaded.serviceTags === undefined ? [] : [loaded.serviceTags];
  });
}

function countResources(network: Network): number {
  return (
    network.virtualNetworks.length +
    network.networkInterfaces.length +
    network.networkSecurityGroups.length +
    network.applicationSecurityGroups.length +
    network.routeTables.length +
    network.publicIPAddresses.length +
    network.natGateways.length +
    network.privateEndpoints.length +
    network.privateLinkResources.length +
    network.virtualNetworkGateways.length
  );
}
