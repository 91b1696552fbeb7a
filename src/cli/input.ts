// Reading a network for a command: all inputs, all problems at once, exit status 2 when one is an error.

import { readFileSync } from 'node:fs';
import { readNetwork } from '../control/input/read.ts';
import { hasErrors, InputError, type Issue } from '../control/issues.ts';
import {
  behaviourOf,
  PROFILES,
  SWITCH_NAMES,
  switchValue,
  switchValuesText,
  type Behaviour,
  type ProfileName,
  type Switches,
} from '../control/model/profile.ts';
import type { Network, NetworkInterface } from '../control/model/resources.ts';
import { suggest } from '../control/input/suggestions.ts';
import { validateNetwork } from '../control/validate/validate.ts';
import { JSON_OUTPUT, UsageError, type OptionSpec, type ParsedArgs } from './args.ts';

/** Options that every command with a network input takes. */
export const NETWORK_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'profile',
    kind: 'value',
    value: 'NAME',
    text: `behaviour profile: ${PROFILES.join(', ')} (default ga-2026)`,
  },
  { name: 'switch', kind: 'list', value: 'NAME=VALUE', text: 'set one behaviour switch; may be repeated' },
  {
    name: 'service-tags',
    kind: 'list',
    value: 'FILE',
    text: "Microsoft's published ServiceTags JSON; may be repeated",
  },
];

export interface NetworkInput {
  readonly network: Network;
  readonly behaviour: Behaviour;
  readonly resourceCount: number;
  /** Warnings; errors were thrown. */
  readonly issues: readonly Issue[];
}

/** Reads and validates; throws InputError with every problem when one of them is an error. */
export function readNetworkInput(args: ParsedArgs, paths: readonly string[]): NetworkInput {
  const chosen = profileOption(args);
  const overrides = switchOptions(args);
  const asked = behaviourOf(chosen ?? 'ga-2026', overrides);
  const read = readNetwork(paths, { behaviour: asked, serviceTagFiles: args.list('service-tags') });
  const behaviour = behaviourOf(chosen ?? read.profile ?? 'ga-2026', { ...read.switches, ...overrides });
  const found = read.network === undefined ? [] : validateNetwork(read.network, behaviour);
  const issues = [...read.issues, ...found];
  if (read.network === undefined || hasErrors(issues)) throw new InputError(issues);
  return { network: read.network, behaviour, resourceCount: read.resourceCount, issues };
}

/** What commands about one NIC have in common. */
export const NIC_COMMAND = {
  options: [
    { name: 'nic', kind: 'value', value: 'NIC', text: 'name or resource id of the NIC' },
    ...NETWORK_OPTIONS,
    JSON_OUTPUT,
  ],
  operandsMin: 1,
  operandsMax: Infinity,
} as const;

/** The network, and the NIC that `--nic` names; throws UsageError or InputError. */
export function readNic(args: ParsedArgs): NetworkInput & { readonly nic: NetworkInterface } {
  const name = args.value('nic');
  if (name === undefined) throw new UsageError('--nic is missing', 'name the NIC, e.g. --nic app');
  const input = readNetworkInput(args, args.operands);
  return { ...input, nic: nicOption(input.network, name) };
}

/** The NIC that an option names; throws UsageError with the nearest name. */
function nicOption(network: Network, name: string): NetworkInterface {
  const wanted = name.toLowerCase();
  const found = network.networkInterfaces.find(
    (nic) => nic.name.toLowerCase() === wanted || nic.id.toLowerCase() === wanted,
  );
  if (found !== undefined) return found;
  const names = network.networkInterfaces.map((nic) => nic.name);
  const near = suggest(name, names);
  const hint = near === undefined ? `NICs: ${names.slice(0, 10).join(', ')}` : `did you mean '${near}'?`;
  throw new UsageError(`there is no NIC '${name}'`, hint);
}

function profileOption(args: ParsedArgs): ProfileName | undefined {
  const text = args.value('profile');
  if (text === undefined) return undefined;
  const found = PROFILES.find((name) => name === text);
  if (found !== undefined) return found;
  throw new UsageError(`unknown profile '${text}'`, `profiles: ${PROFILES.join(', ')}`);
}

function switchOptions(args: ParsedArgs): Partial<Switches> {
  const names = SWITCH_NAMES;
  const set: Record<string, unknown> = {};
  for (const text of args.list('switch')) {
    const [name = '', written] = text.split('=');
    const known = names.find((candidate) => candidate === name);
    if (known === undefined) {
      const near = suggest(name, names);
      throw new UsageError(
        `unknown switch '${name}'`,
        near === undefined ? `switches: ${names.join(', ')}` : `did you mean '${near}'?`,
      );
    }
    const value = switchValue(known, written);
    if (value === undefined) throw new UsageError(`switch '${text}'`, `write ${known}=${switchValuesText(known)}`);
    set[known] = value;
  }
  return set;
}

/** The product's version, from its package file. */
export function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
