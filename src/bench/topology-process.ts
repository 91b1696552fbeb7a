// Entry of the process that measures one kind of path of a user's network. Standard input: a Plan in V8's
// serialisation; the rows go to standard output as JSON.

import { readFileSync } from 'node:fs';
import { deserialize } from 'node:v8';
import { decodeProgram } from '../abi/program.ts';
import { benchRow, type BenchRow } from './figures.ts';
import { createLane } from './lane.ts';
import { measureLane, type Load } from './measure.ts';
import type { Plan } from './topology-plan.ts';

/** Plays a plan back on a fresh lane. Throws when packets end otherwise than in the plan. */
function measurePlan(plan: Plan): BenchRow[] {
  const { measures, connections, opening, templates, packets, params, extra } = plan;
  const list = { count: templates.length, at: (index: number) => templates[index] };
  const lane = createLane({ program: decodeProgram(plan.program), connections, templates: list });
  for (const template of opening) lane.send(template, 0);
  if (measures === 'flow-hit') {
    const { endToEnd, processing, wall, outcome } = measureLane(lane, { packets });
    return [
      benchRow('topology/flow-hit/end-to-end', params, endToEnd, outcome, { wall, extra }),
      benchRow('topology/flow-hit/processing', params, processing, outcome),
    ];
  }
  const { generate } = lane;
  let sent = 0;
  const load: Load = {
    write(count) {
      generate(count, Math.floor(sent * plan.msPerPacket));
      sent += count;
    },
    expectedDrops: () => (measures === 'denied' ? sent : 0),
  };
  const { processing, wall, outcome } = measureLane(lane, { packets, load, warmUp: templates.length });
  return [benchRow(`topology/${measures}`, params, processing, outcome, { wall, extra })];
}

const plan = deserialize(readFileSync(0)) as Plan;
process.stdout.write(JSON.stringify(measurePlan(plan)));
