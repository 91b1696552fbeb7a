// Entry of the process that runs one benchmark at one size. Argument: CaseStart as JSON; rows go to standard output.

import { CASES } from './cases.ts';

export interface CaseStart {
  /** Place in CASES, and of the size among the case's sizes. */
  readonly number: number;
  readonly size: number;
  readonly seed: number;
  readonly smoke: boolean;
}

const { number, size, seed, smoke } = JSON.parse(process.argv[2] ?? '{}') as CaseStart;
const benchCase = CASES[number];
const run = (smoke ? benchCase?.smoke : benchCase?.full)?.[size];
if (run === undefined) throw new Error(`there is no case ${number} of size ${size}`);
const rows = await run.run(seed);
process.stdout.write(JSON.stringify(rows));
