// A scenario after reading: everything that a run needs, checked, with the place of every step.

import type { Compiled } from '../control/compile/compiled.ts';
import type { Issue } from '../control/issues.ts';
import type { Behaviour } from '../control/model/profile.ts';
import type { Network, SourceLocation } from '../control/model/resources.ts';
import type { CaptureContents } from '../control/capture/capture-reader.ts';
import type { Expectation } from './format/expectation-schema.ts';
import type { ActionName, ActionOf } from './format/step-schemas.ts';
import type { ScenarioSettings } from './format/scenario-schema.ts';
import type { HostSettings } from './simulation/guests.ts';
import type { LinkSettings } from './simulation/simulation-api.ts';

/** One step: its action with what was written under it. */
export type ParsedStep = { [Name in ActionName]: StepOf<Name> }[ActionName];

export interface StepOf<Name extends ActionName> {
  readonly action: Name;
  readonly value: ActionOf<Name>;
  readonly name?: string;
  readonly level: 'warning' | 'error';
  readonly expect?: Expectation;
  readonly source: SourceLocation;
  /** The step in one line, for reports. */
  readonly text: string;
  /** Of `replay`: the frames, read with the scenario so that a bad file is bad input. */
  readonly capture?: CaptureContents;
}

export type CaptureSettings = Exclude<NonNullable<ScenarioSettings['captures']>, false>;

export interface ParsedScenario {
  readonly name: string;
  readonly description?: string;
  /** Path of the file as it was given. */
  readonly file: string;
  readonly network: Network;
  readonly behaviour: Behaviour;
  /** The network at the start; names in steps were checked against it. */
  readonly compiled: Compiled;
  readonly seed: number;
  /** `false`: no captures. */
  readonly captures: CaptureSettings | false;
  /** By attachment name. */
  readonly links: Readonly<Record<string, LinkSettings>>;
  /** By NIC name. */
  readonly hosts: Readonly<Record<string, HostSettings>>;
  readonly steps: readonly ParsedStep[];
  /** Warnings of the topology and the scenario. */
  readonly warnings: readonly Issue[];
}
