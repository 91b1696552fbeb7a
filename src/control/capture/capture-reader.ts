// Reads the frames of a capture file: classic pcap (microseconds or nanoseconds) and pcapng, both byte orders. Never
// throws on what a file holds: damage becomes an issue with its byte offset, and the frames before it are kept.

import {
  LINK_TYPE_ETHERNET,
  PCAP_HEADER,
  PCAP_MAGIC_MICROSECONDS,
  PCAP_MAGIC_NANOSECONDS,
  PCAP_RECORD_HEADER,
  BLOCK,
} from './pcapng-format.ts';
import { readPcapng } from './pcapng-reader.ts';
import { bytesOf, checkFrameLength, HINT_TRUNCATED } from './reading.ts';
import type { Issue } from '../issues.ts';
import type { CaptureFrame, CaptureInterface, Reading } from './reading.ts';

export type { CaptureFrame, CaptureInterface } from './reading.ts';

export interface CaptureContents {
  readonly frames: readonly CaptureFrame[];
  readonly interfaces: readonly CaptureInterface[];
  readonly issues: readonly Issue[];
}

/** Frames of a whole file in file order. `file` names it in issues; frames that are not Ethernet are left out. */
export function readCapture(bytes: Uint8Array, file: string): CaptureContents {
  const issues: Issue[] = [];
  const reading = startReading(file, issues);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4) reportUnknown(reading, bytes);
  else if (view.getUint32(0) === BLOCK.sectionHeader) readPcapng(view, reading);
  else readPcap(view, reading);
  return { frames: reading.frames, interfaces: reading.interfaces, issues };
}

function startReading(file: string, issues: Issue[]): Reading {
  let leftOut = 0;
  const report: Reading['report'] = (code, offset, message, hint) => {
    const source = { file, line: 1, column: 1 };
    issues.push({ code, severity: 'error', message: `at byte ${offset}: ${message}`, hint, source });
  };
  return {
    frames: [],
    interfaces: [],
    report,
    leaveOut(offset, linkType) {
      if (leftOut++ > 0) return;
      const message = `a frame of link type ${linkType}, expected 1 (Ethernet); frames like it are left out`;
      const hint = 'capture on an Ethernet interface: tcpdump -i any, for example, writes another link type';
      report('CAPTURE_LINK_TYPE', offset, message, hint);
    },
  };
}

function readPcap(view: DataView, reading: Reading): void {
  const format = pcapFormat(view);
  if (format === undefined) return reportUnknown(reading, bytesOf(view, 0, view.byteLength));
  if (view.byteLength < PCAP_HEADER) {
    const message = `the file header has ${view.byteLength} of ${PCAP_HEADER} bytes`;
    return reading.report('CAPTURE_TRUNCATED', 0, message, HINT_TRUNCATED);
  }
  const { littleEndian, nsPerUnit } = format;
  const snapLength = view.getUint32(16, littleEndian);
  // The upper bits tell about frame check sequences.
  const linkType = view.getUint32(20, littleEndian) & 0xffff;
  reading.interfaces.push({ linkType, snapLength });
  let at = PCAP_HEADER;
  while (at < view.byteLength) {
    const left = view.byteLength - at;
    if (left < PCAP_RECORD_HEADER) {
      const message = `a record header has ${left} of ${PCAP_RECORD_HEADER} bytes`;
      return reading.report('CAPTURE_TRUNCATED', at, message, HINT_TRUNCATED);
    }
    const seconds = view.getUint32(at, littleEndian);
    const fraction = view.getUint32(at + 4, littleEndian);
    const length = view.getUint32(at + 8, littleEndian);
    const originalLength = view.getUint32(at + 12, littleEndian);
    if (!checkFrameLength(reading, at, length, left - PCAP_RECORD_HEADER, 'CAPTURE_TRUNCATED')) return;
    const timeNs = BigInt(seconds) * 1_000_000_000n + BigInt(fraction) * nsPerUnit;
    const bytes = bytesOf(view, at + PCAP_RECORD_HEADER, length);
    if (linkType !== LINK_TYPE_ETHERNET) reading.leaveOut(at, linkType);
    else reading.frames.push({ timeNs, bytes, originalLength, interface: 0, comments: [] });
    at += PCAP_RECORD_HEADER + length;
  }
}

function pcapFormat(view: DataView): { littleEndian: boolean; nsPerUnit: bigint } | undefined {
  for (const littleEndian of [true, false]) {
    const magic = view.getUint32(0, littleEndian);
    if (magic === PCAP_MAGIC_MICROSECONDS) return { littleEndian, nsPerUnit: 1000n };
    if (magic === PCAP_MAGIC_NANOSECONDS) return { littleEndian, nsPerUnit: 1n };
  }
  return undefined;
}

function reportUnknown(reading: Reading, bytes: Uint8Array): void {
  if (bytes.length === 0) {
    return reading.report('CAPTURE_FORMAT', 0, 'the file is empty', 'give a pcap or pcapng file');
  }
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const first = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  const message = `neither pcap nor pcapng: the file starts with ${first}`;
  const hint = isGzip ? 'the file is compressed: unpack it with gunzip first' : 'give a pcap or pcapng file';
  reading.report('CAPTURE_FORMAT', 0, message, hint);
}
