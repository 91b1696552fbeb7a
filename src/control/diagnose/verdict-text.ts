// The verdict on one pass as a single line: what captures say first about a packet and what `explain` and reports end
// with.

import { addressText, placeOf, routeText, ruleText, sourceText } from './words.ts';
import type { Trace, TraceStep } from './trace.ts';

/**
 * `delivered to web`, `exited to internet as 20.0.0.1`, or for a drop its reason and what decided:
 * `dropped NSG_DENY nsg-app/DenySql (inbound, subnet) topology.yaml:41`, `dropped ROUTE_NONE 10.0.0.0/8 Default None`,
 * `dropped PE_NOT_APPROVED pe-sqlmi (admission) topology.yaml:12: the private endpoint connection is not Approved`.
 */
export function verdictText(trace: Trace): string {
  switch (trace.outcome) {
    case 'delivered':
      return `delivered to ${deliveredTo(trace)}`;
    case 'exited':
      return `exited to ${trace.to}${publicSource(trace)}`;
    case 'consumed':
      return 'consumed by the fabric';
    case 'answered':
      return 'answered by the fabric';
    case 'dropped':
      break;
  }
  return `dropped ${trace.reason} ${dropText(trace, trace.dropStep)}`;
}

/** The comments that a packet carries in a capture: the verdict, then one per decision, with rule and source line. */
export function packetComments(trace: Trace): string[] {
  const comments = [verdictText(trace)];
  for (const step of trace.steps) {
    if (step.rule !== undefined) comments.push(`NSG: ${step.text}`);
    else if (step.route !== undefined) comments.push(`route: ${step.text}`);
    else if (step.verdict === 'continue' && TRANSLATING.has(step.stage)) comments.push(`NAT: ${step.text}`);
  }
  const isNamed = trace.steps.some((step) => step.rule !== undefined && step.verdict === 'skipped');
  if (trace.by === 'flow' && !isNamed) comments.push('NSG: rules skipped: connection state exists');
  return comments;
}

const TRANSLATING: ReadonlySet<string> = new Set(['admission', 'publicIp']);

function deliveredTo(trace: Trace): string {
  const { endpoint, service, to, translation } = trace;
  if (endpoint !== undefined && translation === 'endpoint') return `${service} through ${endpoint}`;
  return endpoint !== undefined && translation === 'service' ? `${to} through ${endpoint}` : `${to}`;
}

function publicSource(trace: Trace): string {
  const isPublic = trace.translation === 'publicIpOut' || trace.translation === 'natOut';
  return isPublic && trace.nat !== undefined ? ` as ${addressText(trace.nat.addresses)}` : '';
}

function dropText(trace: Trace, step: TraceStep | undefined): string {
  if (step === undefined) throw new Error('a dropped pass has no step that dropped it');
  if (step.rule !== undefined) return ruleText(step.rule, placeOf(step.stage, endpointAt(trace, step)));
  if (step.route !== undefined) return routeText(step.route);
  return `${step.at} (${step.stage})${sourceText(step.source)}: ${step.text}`;
}

// The rules in front of a private endpoint belong to its subnet (PNSG-2).
function endpointAt(trace: Trace, step: TraceStep): string | undefined {
  return step.stage === 'subnetNsg' && step.at === trace.endpoint ? trace.endpoint : undefined;
}
