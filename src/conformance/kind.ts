// What a kind of case is to the runner: it runs an input that holds no expectation, and its outcome is compared with
// the expectation afterwards.

import type { Behaviour } from '../control/model/profile.ts';
import { checksSomething, differences } from './compare.ts';
import type { CaseOutcome, Comparator } from './compare.ts';
import type { RawCase, Topology } from './notation.ts';

/** Everything that an outcome may depend on. */
export interface CaseInput {
  /** The topology with the override merged; undefined when the case names none. */
  readonly topology: Topology | undefined;
  readonly behaviour: Behaviour;
  /** True when the case names its profile itself. */
  readonly profileGiven: boolean;
  /** The keys of the case that belong to its kind, every `expect` removed at every depth. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** What the expectation asks about, without the answers; undefined for most kinds. */
  readonly questions: unknown;
}

export interface Kind {
  /** Reads off an expectation what it asks about, leaving the answers behind. */
  readonly questions?: (expected: unknown) => unknown;
  readonly run: (input: CaseInput) => CaseOutcome;
  /** Differences between the case's expectations and the outcome. Throws when the case checks nothing. */
  readonly judge: (raw: RawCase, outcome: CaseOutcome) => readonly string[];
}

/** Thrown by a kind that cannot run a case of this shape yet. */
export class NotYet extends Error {
  override readonly name = 'NotYet';
}

/** Judges by the case's `expect` mapping. */
export function judgeExpect(comparators: Readonly<Record<string, Comparator>> = {}): Kind['judge'] {
  return (raw, outcome) => {
    if (!checksSomething(raw.expect)) throw new Error('the case has nothing to check');
    return differences(raw.expect, outcome, comparators);
  };
}

/** The topology of a case of a kind that needs one. */
export function topologyOf(input: CaseInput): Topology {
  if (input.topology === undefined) throw new Error('the case names no topology');
  return input.topology;
}
