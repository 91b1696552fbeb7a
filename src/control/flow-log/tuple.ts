// One line of a flow log: 13 fields in both versions. Version 2 (DIAG-21) has seconds, T or U, and an access beside the
// state; version 4 (DIAG-27) has milliseconds, the IANA protocol number, and the access folded into the state.

import { formatIpv4, parseIpv4, PROTOCOL_TCP, PROTOCOL_UDP } from '../../wire/index.ts';

export type FlowLogVersion = 2 | 4;

/** Begin, continue, end; D is a denied flow. */
export type FlowState = 'B' | 'C' | 'E' | 'D';

/** Packets and bytes since the record before, IP headers included. */
export interface FlowCounters {
  readonly packetsSent: number;
  readonly bytesSent: number;
  readonly packetsReceived: number;
  readonly bytesReceived: number;
}

/** A flow record; addresses are numbers (either image), time is in milliseconds since 1970. */
export interface FlowTuple {
  readonly timeMs: number;
  readonly src: number;
  readonly dst: number;
  readonly srcPort: number;
  readonly dstPort: number;
  /** IANA number; version 2 knows TCP and UDP only. */
  readonly protocol: number;
  readonly direction: 'Inbound' | 'Outbound';
  readonly state: FlowState;
  readonly counters: FlowCounters;
}

export const NO_COUNTERS: FlowCounters = { packetsSent: 0, bytesSent: 0, packetsReceived: 0, bytesReceived: 0 };

const FIELDS = 13;
const COUNTERS_AT = 9;
const MS_PER_SECOND = 1000;
/** Stamps below are seconds: one page has them in version 4 too (DIAG-29). */
const MS_FROM = 1e11;
const ENCRYPTION = /^(X|NX|NX_[A-Z_]+)$/;

/** The text of a record. Version 2 leaves counters of B and D empty (DIAG-21), version 4 writes zeros (DIAG-29). */
export function formatTuple(version: FlowLogVersion, tuple: FlowTuple): string {
  const { packetsSent, bytesSent, packetsReceived, bytesReceived } = tuple.counters;
  const counters = [packetsSent, bytesSent, packetsReceived, bytesReceived];
  const addresses = [formatIpv4(tuple.src), formatIpv4(tuple.dst), tuple.srcPort, tuple.dstPort];
  const direction = tuple.direction === 'Inbound' ? 'I' : 'O';
  if (version === 4) {
    // No network here encrypts: NX (DIAG-28).
    return [tuple.timeMs, ...addresses, tuple.protocol, direction, tuple.state, 'NX', ...counters].join(',');
  }
  const counts = tuple.state === 'C' || tuple.state === 'E';
  const verdict = tuple.state === 'D' ? ['D', 'B'] : ['A', tuple.state];
  const protocol = tuple.protocol === PROTOCOL_TCP ? 'T' : 'U';
  const seconds = Math.floor(tuple.timeMs / MS_PER_SECOND);
  return [seconds, ...addresses, protocol, direction, ...verdict, ...(counts ? counters : ['', '', '', ''])].join(',');
}

/** A record of either version from its text; empty counters are zero. Throws RangeError on anything else. */
export function parseTuple(text: string): FlowTuple {
  const fields = text.split(',').map((field) => field.trim());
  if (fields.length !== FIELDS) throw notTuple(text, `${fields.length} fields, expected ${FIELDS}`);
  const field = (index: number): string => fields[index] as string;
  const numberAt = (index: number, max: number): number => {
    const value = /^\d+$/.test(field(index)) ? Number(field(index)) : NaN;
    if (!(value <= max)) throw notTuple(text, `field ${index + 1} is not a number from 0 to ${max}`);
    return value;
  };
  const counterAt = (index: number): number => (field(index) === '' ? 0 : numberAt(index, Number.MAX_SAFE_INTEGER));
  const oneOf = <T extends string>(index: number, words: readonly T[]): T => {
    const word = words.find((candidate) => candidate === field(index));
    if (word === undefined) throw notTuple(text, `field ${index + 1} is none of ${words.join(', ')}`);
    return word;
  };
  const isVersion2 = /^[TU]$/.test(field(5));
  if (!isVersion2 && !ENCRYPTION.test(field(8))) throw notTuple(text, 'field 9 is not an encryption state');
  const stamp = numberAt(0, Number.MAX_SAFE_INTEGER);
  return {
    timeMs: stamp < MS_FROM ? stamp * MS_PER_SECOND : stamp,
    src: parseIpv4(field(1)),
    dst: parseIpv4(field(2)),
    srcPort: numberAt(3, 65_535),
    dstPort: numberAt(4, 65_535),
    protocol: isVersion2 ? (field(5) === 'T' ? PROTOCOL_TCP : PROTOCOL_UDP) : numberAt(5, 255),
    direction: oneOf(6, ['I', 'O']) === 'I' ? 'Inbound' : 'Outbound',
    state: isVersion2 ? stateOfVersion2(oneOf(7, ['A', 'D']), oneOf(8, ['B', 'C', 'E'])) : oneOf(7, STATES),
    counters: {
      packetsSent: counterAt(COUNTERS_AT),
      bytesSent: counterAt(COUNTERS_AT + 1),
      packetsReceived: counterAt(COUNTERS_AT + 2),
      bytesReceived: counterAt(COUNTERS_AT + 3),
    },
  };
}

const STATES = ['B', 'C', 'E', 'D'] as const;

function stateOfVersion2(access: 'A' | 'D', state: 'B' | 'C' | 'E'): FlowState {
  return access === 'D' ? 'D' : state;
}

function notTuple(text: string, why: string): RangeError {
  return new RangeError(`flow tuple '${text}': ${why}`);
}

/** Packets and bytes of both directions over the records of a flow: counters are since the record before, so they add
 * up (DIAG-23). */
export function sumTuples(tuples: readonly FlowTuple[]): { readonly packets: number; readonly bytes: number } {
  let packets = 0;
  let bytes = 0;
  for (const { state, counters } of tuples) {
    if (state !== 'C' && state !== 'E') continue;
    packets += counters.packetsSent + counters.packetsReceived;
    bytes += counters.bytesSent + counters.bytesReceived;
  }
  return { packets, bytes };
}
