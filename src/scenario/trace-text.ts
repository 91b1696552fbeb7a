// Passes as text for people: a line for the packet, then a line for each stage with what decided and where it was
// written. Used under failed expectations and by `explain`.

import { describeFrame } from '../wire/index.ts';
import { verdictText } from '../control/diagnose/verdict-text.ts';
import { traceOfPass } from './observation.ts';
import type { Trace } from '../control/diagnose/trace.ts';
import type { PacketEvent } from './simulation/simulation-api.ts';

/** The passes of one packet, in order. */
export function passesText(passes: readonly PacketEvent[]): string[] {
  return passes.flatMap((pass, index) => {
    const trace = traceOfPass(pass);
    const number = passes.length > 1 ? `, pass ${index + 1} of ${passes.length}` : '';
    const title = `packet ${pass.packetId}${number}: ${describeFrame(pass.before)}`;
    return [title, ...traceText(trace).map((line) => `  ${line}`)];
  });
}

/** One line for each stage of a pass, then the verdict. */
export function traceText(trace: Trace): string[] {
  const width = Math.max(...trace.steps.map((step) => step.at.length + step.stage.length + 1));
  const lines = trace.steps.map((step) => `${`${step.at}:${step.stage}`.padEnd(width)}  ${step.text}`);
  return [...lines, verdictText(trace)];
}
