// Runs one case: merges its network, runs its kind on an input without expectations, and only then compares.

import { behaviourOf, PROFILES } from '../control/model/profile.ts';
import type { Behaviour, ProfileName } from '../control/model/profile.ts';
import type { CaseSet } from './load.ts';
import { NotYet } from './kind.ts';
import type { CaseInput, Kind } from './kind.ts';
import { isMapping, mergeTopology } from './merge.ts';
import { COMMON_KEYS, parseTopology } from './notation.ts';
import type { RawCase, Topology } from './notation.ts';
import { KINDS } from './kinds/kinds.ts';

export interface CaseResult {
  readonly id: string;
  readonly status: 'pass' | 'fail' | 'not-yet';
  /** Why it failed or cannot run yet; empty when it passed. */
  readonly detail: string;
}

/** Runs a case and tells how it went; an exception inside it is a failure of this case only. */
export function runCase(raw: RawCase, topologies: CaseSet['topologies']): CaseResult {
  try {
    const kind = KINDS[raw.kind];
    if (kind === undefined) throw new Error(`kind not understood: ${raw.kind}`);
    const outcome = kind.run(inputOf(raw, kind, topologies));
    const lines = kind.judge(raw, outcome);
    return { id: raw.id, status: lines.length === 0 ? 'pass' : 'fail', detail: lines.join('; ') };
  } catch (error) {
    if (error instanceof NotYet) return { id: raw.id, status: 'not-yet', detail: error.message };
    return { id: raw.id, status: 'fail', detail: error instanceof Error ? error.message : String(error) };
  }
}

/** What the kind gets to see of a case: everything but the expectations. */
export function inputOf(raw: RawCase, kind: Kind, topologies: CaseSet['topologies']): CaseInput {
  const fields: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(raw)) {
    if (!COMMON_KEYS.includes(key)) fields[key] = withoutExpectations(value);
  }
  return {
    topology: topologyFor(raw, topologies),
    behaviour: behaviourFor(raw.profile),
    profileGiven: raw.profile !== undefined,
    fields,
    questions: kind.questions?.(raw.expect),
  };
}

function withoutExpectations(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutExpectations);
  if (!isMapping(value)) return value;
  const kept = Object.entries(value).filter(([key]) => key !== 'expect');
  return Object.fromEntries(kept.map(([key, field]) => [key, withoutExpectations(field)]));
}

function topologyFor(raw: RawCase, topologies: CaseSet['topologies']): Topology | undefined {
  if (raw.topo === undefined) {
    if (raw.override !== undefined) throw new Error('the case overrides a topology but names none');
    return undefined;
  }
  const base = topologies.get(raw.topo);
  if (base === undefined) throw new Error(`topology ${raw.topo} is in none of the given files`);
  return parseTopology(mergeTopology(base, raw.override));
}

function behaviourFor(profile: unknown): Behaviour {
  if (profile === undefined) return behaviourOf();
  return behaviourOf(parseProfile(profile));
}

/** A profile name, or an Error that lists the known ones. */
export function parseProfile(value: unknown): ProfileName {
  const known = PROFILES.find((name) => name === value);
  if (known === undefined) throw new Error(`profile not understood: ${String(value)}; known: ${PROFILES.join(', ')}`);
  return known;
}
