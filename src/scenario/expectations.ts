// Compares what a step expected with what happened. Every difference names the key, the expected value and what was
// found, all in the words of scenario files.

import { countMatches } from './format/quantities.ts';
import { asList } from './format/common-schemas.ts';
import { headerMatches, headersOf } from './headers.ts';
import { traceOfPass } from './observation.ts';
import type { Trace } from '../control/diagnose/trace.ts';
import type { Issue } from '../control/issues.ts';
import type { Expectation, ExpectationKey, HeaderFields, ResultName } from './format/expectation-schema.ts';
import type { HeaderValue } from './headers.ts';
import type { Observation } from './observation.ts';
import type { PacketEvent } from './simulation/simulation-api.ts';

export type CountKey = 'connections' | 'established' | 'failed' | 'retransmissions' | 'lost' | 'bytes' | 'replies';

/** Keys that a step answers itself, with a text, a number or a list. */
const TOLD = [
  'status',
  'address',
  'chain',
  'blame',
  'resolvesTo',
  'tls',
  'login',
  'sqlError',
  'connectionType',
  'ports',
  'value',
  'findings',
] as const;
export type ToldKey = (typeof TOLD)[number];

/** What a step found out. */
export interface Facts {
  readonly result?: ResultName;
  readonly counts: Partial<Record<CountKey, number>>;
  /** The packets of the step; none for control-plane changes. */
  readonly observation?: Observation;
  /** Passes of the packet that decided, in order. */
  readonly passes?: readonly PacketEvent[];
  /** What else the step found out, under the keys of TOLD. */
  readonly told?: Readonly<Partial<Record<ToldKey, string | number | readonly (string | number)[]>>>;
  /** Why a change was refused; empty when it was not. */
  readonly refused?: readonly Issue[];
}

export interface Mismatch {
  /** `reason`, or `seenBy.app.ttl`. */
  readonly key: string;
  readonly expected: string;
  readonly got: string;
}

/** All differences between expectation and facts; empty when the expectation is met. */
export function judge(expect: Expectation, facts: Facts): Mismatch[] {
  return (Object.keys(expect) as ExpectationKey[]).flatMap((key) => judgeKey(key, expect, facts));
}

function judgeKey(key: ExpectationKey, expect: Expectation, facts: Facts): Mismatch[] {
  const value = expect[key];
  if (value === undefined) return [];
  const { observation } = facts;
  switch (key) {
    case 'result':
      return compareText(key, expect.result ?? '', facts.result ?? 'nothing');
    case 'refused':
      return compareOneOf(key, expect.refused ?? '', facts.refused?.map((issue) => issue.code) ?? [], 'not refused');
    case 'seenBy':
      return judgeSeenBy(expect.seenBy ?? {}, observation);
    case 'notSeenBy':
      return asList(expect.notSeenBy ?? []).flatMap((point) => judgeNotSeen(point, observation));
    case 'established':
    case 'failed':
    case 'retransmissions':
    case 'lost':
    case 'bytes':
    case 'replies':
      return compareCount(key, value as number | string, facts.counts[key] ?? 0);
    case 'packets':
    case 'delivered':
    case 'dropped':
      return compareCount(key, value as number | string, observation?.[key] ?? 0);
    case 'connections':
      return compareCount(key, value as number | string, facts.counts.connections ?? 0);
    default: {
      const told = TOLD.find((name) => name === key);
      if (told === undefined) return judgeDecision(key, expect, facts.passes ?? []);
      return compareText(key, listText(asTexts(value)), listText(asTexts(facts.told?.[told] ?? [])));
    }
  }
}

/** Keys that the passes of the deciding packet answer. */
function judgeDecision(key: ExpectationKey, expect: Expectation, passes: readonly PacketEvent[]): Mismatch[] {
  const first = passes[0];
  const last = passes.at(-1);
  if (first === undefined || last === undefined) {
    return [{ key, expected: valueText(expect[key]), got: 'no packet reached the fabric' }];
  }
  const trace = traceOfPass(last);
  switch (key) {
    case 'outcome':
      return compareText(key, String(expect.outcome), last.outcome);
    case 'at':
      return compareOneOf(key, String(expect.at), placesOf(trace));
    case 'to':
      return compareOneOf(key, String(expect.to), receiversOf(trace));
    case 'by':
      return compareOneOf(key, String(expect.by), decidersOf(trace));
    case 'rule':
      return compareOneOf(key, String(expect.rule), rulesOf(trace));
    case 'reason':
      return compareText(key, String(expect.reason), trace.reason ?? 'none');
    case 'stage':
      return compareText(key, String(expect.stage), trace.stage ?? 'none');
    case 'via': {
      const crossed = passes.slice(0, -1).map((pass) => traceOfPass(pass).to ?? '');
      return compareText(key, listText(asList(expect.via ?? [])), listText(crossed));
    }
    case 'route':
      return judgeRoute(asList(expect.route ?? []), traceOfPass(first).route);
    default:
      throw new Error(`the expectation '${key}' is not judged`);
  }
}

function judgeRoute(expected: readonly string[], route: Trace['route']): Mismatch[] {
  const got = route === undefined ? 'none' : listText(route);
  const isMet = route !== undefined && expected.every((part, index) => sameText(part, route[index] ?? ''));
  return isMet ? [] : [{ key: 'route', expected: listText(expected), got }];
}

function judgeSeenBy(points: Readonly<Record<string, HeaderFields>>, observation: Observation | undefined): Mismatch[] {
  return Object.entries(points).flatMap(([point, fields]) => {
    const sighting = observation?.seenAt(point);
    if (sighting === undefined) {
      const seen = observation?.points().join(', ') ?? '';
      const got = seen === '' ? 'nothing seen anywhere' : `nothing seen there; seen at ${seen}`;
      return [{ key: `seenBy.${point}`, expected: valueText(fields), got }];
    }
    const actual = headersOf(sighting.frame);
    return (Object.entries(fields) as [keyof HeaderFields, HeaderValue][])
      .filter(([field, expected]) => !headerMatches(field, expected, actual[field]))
      .map(([field, expected]) => ({
        key: `seenBy.${point}.${field}`,
        expected: String(expected),
        got: actual[field] === undefined ? 'no such field in the packet' : String(actual[field]),
      }));
  });
}

function judgeNotSeen(point: string, observation: Observation | undefined): Mismatch[] {
  const sighting = observation?.seenAt(point);
  if (sighting === undefined) return [];
  return [{ key: 'notSeenBy', expected: `nothing at ${point}`, got: `packet ${sighting.packetId} at ${point}` }];
}

/** Where a pass ended: the receiver, or for a drop its place with and without the stage. */
export function placesOf(trace: Trace): string[] {
  if (trace.droppedAt === undefined) return receiversOf(trace);
  const place = trace.droppedAt.slice(0, trace.droppedAt.lastIndexOf(':'));
  return [trace.droppedAt, place];
}

/** Who received the packet: a NIC, an exit; for a private endpoint its service, or the endpoint. */
export function receiversOf(trace: Trace): string[] {
  if (trace.to === undefined) return [];
  return trace.translation === 'endpoint' && trace.service !== undefined ? [trace.service, trace.to] : [trace.to];
}

/** What decided: `nsg/rule` or `flow`; the endpoint when its admission refused the packet. */
export function decidersOf(trace: Trace): string[] {
  if (trace.stage === 'admission' && trace.endpoint !== undefined) return [trace.endpoint];
  return trace.by === undefined ? [] : [trace.by];
}

function rulesOf(trace: Trace): string[] {
  const rule = trace.by;
  if (rule === undefined || !rule.includes('/')) return [];
  return [rule, rule.slice(rule.indexOf('/') + 1)];
}

function compareCount(key: ExpectationKey, expected: number | string, actual: number): Mismatch[] {
  return countMatches(expected, actual) ? [] : [{ key, expected: String(expected), got: String(actual) }];
}

function compareText(key: ExpectationKey, expected: string, actual: string): Mismatch[] {
  return sameText(expected, actual) ? [] : [{ key, expected, got: actual }];
}

function compareOneOf(key: ExpectationKey, expected: string, actual: readonly string[], none = 'none'): Mismatch[] {
  if (actual.some((candidate) => sameText(expected, candidate))) return [];
  return [{ key, expected, got: actual[0] ?? none }];
}

function sameText(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function listText(list: readonly string[]): string {
  return list.length === 0 ? 'none' : list.join(', ');
}

function asTexts(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).map(String);
}

function valueText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
