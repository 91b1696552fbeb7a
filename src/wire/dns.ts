// DNS messages (RFC 1035) as guests send them: one question, an answer section, names compressed when written and
// followed with care when read. Records of other types than those listed are skipped when read.

import { formatIpv4, tryParseIpv4 } from './address.ts';
import { formatIpv6, parseIpv6 } from './address6.ts';

export const DNS_PORT = 53;
/** Longest message over UDP without EDNS, bytes (RFC 1035, 4.2.1). */
export const DNS_UDP_MAX = 512;

export const DNS_TYPES = { A: 1, CNAME: 5, SOA: 6, PTR: 12, MX: 15, TXT: 16, AAAA: 28, SRV: 33 } as const;
export type DnsTypeName = keyof typeof DNS_TYPES;
export const DNS_STATUS = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;
export type DnsStatusName = keyof typeof DNS_STATUS;

export interface DnsQuestion {
  readonly name: string;
  readonly type: DnsTypeName;
}

/** One record; the value in presentation form: `10.0.0.4`, a name, `10 mail.example.com`, a text. */
export interface DnsMessageRecord {
  readonly name: string;
  readonly type: DnsTypeName;
  /** Seconds. */
  readonly ttl: number;
  readonly value: string;
}

export interface DnsMessage {
  /** 0 to 65535. */
  readonly id: number;
  readonly isResponse: boolean;
  readonly isAuthoritative?: boolean;
  /** Set on a response that was too long; its last records are missing. */
  readonly isTruncated?: boolean;
  readonly recursionDesired: boolean;
  readonly recursionAvailable?: boolean;
  readonly status: DnsStatusName;
  readonly question: DnsQuestion;
  readonly answers: readonly DnsMessageRecord[];
}

const HEADER = 12;
const CLASS_IN = 1;
const POINTER = 0xc0;
const LABEL_MAX = 63;
const NAME_MAX = 253;

/**
 * A message in bytes. Answers that do not fit into `maxBytes` are left out, and the message says so (TC). Throws on
 * names and values that cannot be written.
 */
export function encodeDns(message: DnsMessage, maxBytes = DNS_UDP_MAX): Uint8Array {
  const writer = new Writer();
  writer.u16(message.id);
  writer.u16(0);
  writer.u16(1);
  writer.u16(0);
  writer.u16(0);
  writer.u16(0);
  writer.name(message.question.name);
  writer.u16(DNS_TYPES[message.question.type]);
  writer.u16(CLASS_IN);
  let written = 0;
  for (const answer of message.answers) {
    const before = writer.length;
    writeRecord(writer, answer);
    if (writer.length > maxBytes) {
      writer.truncate(before);
      break;
    }
    written++;
  }
  writer.setU16(2, flagsOf(message, written < message.answers.length));
  writer.setU16(6, written);
  return writer.bytes();
}

/** Reads a message with one question; undefined when the bytes are none. */
export function decodeDns(bytes: Uint8Array): DnsMessage | undefined {
  try {
    return readMessage(new Reader(bytes));
  } catch (error) {
    if (error instanceof DnsFormatError) return undefined;
    throw error;
  }
}

/** True when this is a text that DNS can ask for: labels of 1 to 63 bytes, 253 in all. */
export function isDnsName(name: string): boolean {
  const bare = name.replace(/\.$/, '');
  return bare.length <= NAME_MAX && bare.split('.').every((label) => /^[\x21-\x7e]{1,63}$/.test(label));
}

class DnsFormatError extends Error {}

function flagsOf(message: DnsMessage, isTruncated: boolean): number {
  const bit = (set: boolean | undefined, mask: number): number => (set === true ? mask : 0);
  return (
    bit(message.isResponse, 0x8000) |
    bit(message.isAuthoritative, 0x0400) |
    bit(isTruncated || message.isTruncated, 0x0200) |
    bit(message.recursionDesired, 0x0100) |
    bit(message.recursionAvailable, 0x0080) |
    DNS_STATUS[message.status]
  );
}

function writeRecord(writer: Writer, record: DnsMessageRecord): void {
  writer.name(record.name);
  writer.u16(DNS_TYPES[record.type]);
  writer.u16(CLASS_IN);
  writer.u16(Math.floor(record.ttl / 0x1_0000) & 0x7fff);
  writer.u16(record.ttl & 0xffff);
  const at = writer.length;
  writer.u16(0);
  writeValue(writer, record);
  writer.setU16(at, writer.length - at - 2);
}

function writeValue(writer: Writer, { type, value }: DnsMessageRecord): void {
  const parts = value.split(/\s+/);
  const numbers = (count: number): void => {
    for (let index = 0; index < count; index++) writer.u16(numberOf(parts[index], value));
  };
  switch (type) {
    case 'A': {
      const address = tryParseIpv4(value);
      if (address === undefined) throw new Error(`'${value}' is not an IPv4 address`);
      writer.u16(address >>> 16);
      return writer.u16(address & 0xffff);
    }
    case 'AAAA': {
      const address = parseIpv6(value);
      for (let shift = 112n; shift >= 0n; shift -= 16n) writer.u16(Number((address >> shift) & 0xffffn));
      return;
    }
    case 'CNAME':
    case 'PTR':
      return writer.name(value);
    case 'MX':
      numbers(1);
      return writer.name(parts[1] ?? '');
    case 'SRV':
      numbers(3);
      return writer.plainName(parts[3] ?? '');
    case 'SOA':
      writer.name(parts[0] ?? '');
      writer.name(parts[1] ?? '');
      for (let index = 2; index < 7; index++) {
        const number = numberOf(parts[index], value);
        writer.u16(Math.floor(number / 0x1_0000));
        writer.u16(number & 0xffff);
      }
      return;
    case 'TXT':
      return writer.texts(new TextEncoder().encode(value));
    default:
      return type satisfies never;
  }
}

function numberOf(text: string | undefined, value: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 0) throw new Error(`'${value}' is not a record of this type`);
  return number;
}

function readMessage(reader: Reader): DnsMessage | undefined {
  const id = reader.u16();
  const flags = reader.u16();
  const questions = reader.u16();
  const answerCount = reader.u16();
  reader.u16();
  reader.u16();
  if (questions !== 1 || ((flags >>> 11) & 0xf) !== 0) return undefined;
  const name = reader.name();
  const type = typeName(reader.u16());
  const status = (Object.keys(DNS_STATUS) as DnsStatusName[]).find((key) => DNS_STATUS[key] === (flags & 0xf));
  if (reader.u16() !== CLASS_IN || type === undefined || status === undefined) return undefined;
  const answers: DnsMessageRecord[] = [];
  for (let index = 0; index < answerCount; index++) {
    const record = readRecord(reader);
    if (record !== undefined) answers.push(record);
  }
  return {
    id,
    isResponse: (flags & 0x8000) !== 0,
    isAuthoritative: (flags & 0x0400) !== 0,
    isTruncated: (flags & 0x0200) !== 0,
    recursionDesired: (flags & 0x0100) !== 0,
    recursionAvailable: (flags & 0x0080) !== 0,
    status,
    question: { name, type },
    answers,
  };
}

function readRecord(reader: Reader): DnsMessageRecord | undefined {
  const name = reader.name();
  const type = typeName(reader.u16());
  const recordClass = reader.u16();
  const ttl = reader.u32();
  const length = reader.u16();
  const end = reader.at + length;
  reader.need(length);
  const value = type === undefined || recordClass !== CLASS_IN ? undefined : readValue(reader, type, end);
  reader.at = end;
  return type === undefined || value === undefined ? undefined : { name, type, ttl, value };
}

function readValue(reader: Reader, type: DnsTypeName, end: number): string {
  switch (type) {
    case 'A':
      return formatIpv4(reader.u32());
    case 'AAAA':
      return formatIpv6(reader.raw(16).reduce((value, byte) => value * 256n + BigInt(byte), 0n));
    case 'CNAME':
    case 'PTR':
      return reader.name();
    case 'MX':
      return `${reader.u16()} ${reader.name()}`;
    case 'SRV':
      return `${reader.u16()} ${reader.u16()} ${reader.u16()} ${reader.name()}`;
    case 'SOA': {
      const names = `${reader.name()} ${reader.name()}`;
      return `${names} ${reader.u32()} ${reader.u32()} ${reader.u32()} ${reader.u32()} ${reader.u32()}`;
    }
    case 'TXT': {
      let text = '';
      while (reader.at < end) text += new TextDecoder().decode(reader.raw(reader.u8()));
      return text;
    }
    default:
      return type satisfies never;
  }
}

function typeName(code: number): DnsTypeName | undefined {
  return (Object.keys(DNS_TYPES) as DnsTypeName[]).find((key) => DNS_TYPES[key] === code);
}

class Writer {
  #bytes: number[] = [];
  /** Offsets of names written so far, by their text. */
  readonly #names = new Map<string, number>();

  get length(): number {
    return this.#bytes.length;
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }

  u16(value: number): void {
    this.#bytes.push((value >>> 8) & 0xff, value & 0xff);
  }

  setU16(at: number, value: number): void {
    this.#bytes[at] = (value >>> 8) & 0xff;
    this.#bytes[at + 1] = value & 0xff;
  }

  /** Character strings of at most 255 bytes. */
  texts(bytes: Uint8Array): void {
    for (let at = 0; at === 0 || at < bytes.length; at += 255) {
      const part = bytes.subarray(at, at + 255);
      this.#bytes.push(part.length, ...part);
    }
  }

  truncate(length: number): void {
    this.#bytes.length = length;
    for (const [name, at] of this.#names) if (at >= length) this.#names.delete(name);
  }

  /** A name, with what was written before taken up by a pointer (RFC 1035, 4.1.4). */
  name(text: string): void {
    this.#write(text, true);
  }

  /** A name without pointers: SRV targets must not be compressed (RFC 2782). */
  plainName(text: string): void {
    this.#write(text, false);
  }

  #write(text: string, compress: boolean): void {
    const bare = text.replace(/\.$/, '');
    if (bare !== '' && !isDnsName(bare)) throw new Error(`'${text}' is not a DNS name`);
    let rest = bare;
    while (rest !== '') {
      const known = compress ? this.#names.get(rest.toLowerCase()) : undefined;
      if (known !== undefined) return this.u16((POINTER << 8) | known);
      if (this.length < 0x4000) this.#names.set(rest.toLowerCase(), this.length);
      const dot = rest.indexOf('.');
      const label = dot < 0 ? rest : rest.slice(0, dot);
      this.#bytes.push(label.length, ...new TextEncoder().encode(label));
      rest = dot < 0 ? '' : rest.slice(dot + 1);
    }
    this.#bytes.push(0);
  }
}

class Reader {
  at = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.need(HEADER);
  }

  need(count: number): void {
    if (this.at + count > this.#bytes.length) throw new DnsFormatError();
  }

  u8(): number {
    this.need(1);
    return this.#bytes[this.at++];
  }

  u16(): number {
    return this.u8() * 256 + this.u8();
  }

  u32(): number {
    return this.u16() * 0x1_0000 + this.u16();
  }

  raw(count: number): Uint8Array {
    this.need(count);
    this.at += count;
    return this.#bytes.subarray(this.at - count, this.at);
  }

  /** Pointers lead backwards only, so that a name always ends. */
  name(): string {
    const labels: string[] = [];
    let total = 0;
    let end: number | undefined;
    for (;;) {
      const start = this.at;
      const length = this.u8();
      if (length === 0) break;
      if ((length & POINTER) === POINTER) {
        const target = (length & ~POINTER) * 256 + this.u8();
        if (target >= start) throw new DnsFormatError();
        end ??= this.at;
        this.at = target;
        continue;
      }
      total += length + 1;
      if (length > LABEL_MAX || total > NAME_MAX + 1) throw new DnsFormatError();
      labels.push(String.fromCodePoint(...this.raw(length)));
    }
    if (end !== undefined) this.at = end;
    return labels.join('.');
  }
}
