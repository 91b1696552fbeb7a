// Classic pcap (draft-ietf-opsawg-pcap) with nanosecond stamps: frames and times only, for tools that know no pcapng.
// It has no place for interfaces, directions, packet ids, comments or statistics.

import { CAPTURE_FILE_BUFFER_BYTES, CAPTURE_FRAME_BYTES_MAX } from '../../abi/limits.ts';
import { ByteBuffer } from './byte-buffer.ts';
import { LINK_TYPE_ETHERNET, PCAP_MAGIC_NANOSECONDS, PCAP_RECORD_HEADER } from './pcapng-format.ts';
import type { ByteSink } from './byte-sink.ts';
import type { CapturedFrame, CaptureFile } from './capture-file.ts';

const NS_PER_SECOND = 1_000_000_000;
const TWO_32 = 0x1_0000_0000;

/** A pcap file that grows; bytes go to the sink in large pieces. */
export class PcapFile implements CaptureFile {
  readonly #buffer = new ByteBuffer();
  readonly #sink: ByteSink;
  #interfaces = 0;
  #flushed = 0;

  constructor(sink: ByteSink, snapLength: number = CAPTURE_FRAME_BYTES_MAX) {
    this.#sink = sink;
    writePcapHeader(this.#buffer, snapLength);
  }

  get buffered(): number {
    return this.#buffer.length;
  }

  get written(): number {
    return this.#flushed + this.#buffer.length;
  }

  /** The format has no interfaces; the number is for the caller alone. */
  addInterface(): number {
    return this.#interfaces++;
  }

  writeFrame(_point: number, frame: CapturedFrame): void {
    writePcapRecord(this.#buffer, frame);
    if (this.#buffer.length >= CAPTURE_FILE_BUFFER_BYTES) this.flush();
  }

  finish(): void {
    this.flush();
  }

  flush(): void {
    if (this.#buffer.length === 0) return;
    const bytes = this.#buffer.drain();
    this.#flushed += bytes.length;
    this.#sink.append(bytes);
  }
}

/** File header: nanoseconds, version 2.4, Ethernet. */
export function writePcapHeader(out: ByteBuffer, snapLength: number): void {
  out.u32(PCAP_MAGIC_NANOSECONDS);
  out.u16(2);
  out.u16(4);
  out.u32(0);
  out.u32(0);
  out.u32(snapLength);
  out.u32(LINK_TYPE_ETHERNET);
}

/** Seconds, nanoseconds, captured and original length, bytes. */
export function writePcapRecord(out: ByteBuffer, frame: CapturedFrame): void {
  // A double holds the time rounded to 256 ns, of which seconds are multiples: the last 128 ns of a second may count
  // as the next one, and then the low 32 bits leave a remainder below 0.
  let seconds = Math.floor(((frame.timeHigh >>> 0) * TWO_32 + (frame.timeLow >>> 0)) / NS_PER_SECOND);
  let nanoseconds = (frame.timeLow - Math.imul(seconds, NS_PER_SECOND)) | 0;
  if (nanoseconds < 0) {
    seconds--;
    nanoseconds += NS_PER_SECOND;
  }
  const at = out.extend(PCAP_RECORD_HEADER);
  const header = out.view;
  header.setUint32(at, seconds, true);
  header.setUint32(at + 4, nanoseconds, true);
  header.setUint32(at + 8, frame.captured, true);
  header.setUint32(at + 12, frame.length, true);
  out.appendPart(frame.bytes, frame.view, frame.offset, frame.captured);
}
