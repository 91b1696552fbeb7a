// Every block against bytes written out by hand from the format's specification.

import { expect, test } from 'vitest';
import { ByteBuffer } from '../../../src/control/capture/byte-buffer.ts';
import { memorySink } from '../../../src/control/capture/byte-sink.ts';
import { PcapFile, writePcapHeader, writePcapRecord } from '../../../src/control/capture/pcap-writer.ts';
import {
  encodePacketOptions,
  PcapngFile,
  writeInterface,
  writeNames,
  writePacket,
  writeSectionHeader,
  writeStatistics,
} from '../../../src/control/capture/pcapng-writer.ts';
import { capturedFrame } from './capture-fixture.ts';

function bytesOf(write: (out: ByteBuffer) => void): string {
  const out = new ByteBuffer();
  write(out);
  return hex(out.take());
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** Hex with spaces and line ends for reading. */
function block(...lines: string[]): string {
  return lines.join('').replaceAll(' ', '');
}

test('a section header names the emulator and nothing of the machine', () => {
  expect(bytesOf(writeSectionHeader)).toBe(
    block(
      '0a0d0d0a 44000000 4d3c2b1a 0100 0000 ffffffffffffffff',
      '0200 0600 766e6574656d 0000', // hardware: vnetem
      '0300 0600 766e6574656d 0000', // os
      '0400 0600 766e6574656d 0000', // application
      '00000000 44000000',
    ),
  );
});

test('an interface has link type 1, snap length, name, description and nanoseconds', () => {
  expect(bytesOf((out) => writeInterface(out, 'app', 'NIC a', 96))).toBe(
    block(
      '01000000 34000000 0100 0000 60000000',
      '0200 0300 617070 00',
      '0300 0500 4e49432061 000000',
      '0900 0100 09 000000',
      '00000000 34000000',
    ),
  );
});

test('an interface with a filter says that it is in the language of libpcap', () => {
  expect(bytesOf((out) => writeInterface(out, 'a', 'b', 0, 'tcp'))).toContain(block('0b00 0400 00 746370'));
});

test('names are one record per address, in the order given', () => {
  expect(bytesOf((out) => writeNames(out, [{ address: '10.0.0.4', names: ['ab', 'ab.c'] }]))).toBe(
    block('04000000 24000000', '0100 0c00 0a000004 616200 61622e6300', '00000000 00000000 24000000'),
  );
});

test('a packet has its stamp split high and low, direction, id, comments and padding', () => {
  const frame = capturedFrame(0x0102030405060708n, Uint8Array.of(0xde, 0xad, 0xbe, 0xef, 0x01), 60, 7);
  const comments = ['hi', 'four'];
  expect(bytesOf((out) => writePacket(out, 2, frame, encodePacketOptions('outbound', comments)))).toBe(
    block(
      '06000000 50000000 02000000 04030201 08070605 05000000 3c000000',
      'deadbeef 01000000',
      '0200 0400 02000000', // outbound
      '0500 0800 0700000000000000',
      '0100 0200 6869 0000',
      '0100 0400 666f7572',
      '00000000 50000000',
    ),
  );
  const inbound = bytesOf((out) => writePacket(out, 2, frame, encodePacketOptions('inbound', comments)));
  expect(inbound).toContain(block('0200 0400 01000000'));
});

test('statistics count what was received and lost', () => {
  expect(bytesOf((out) => writeStatistics(out, 1n, { interface: 1, received: 5, lost: 0 }))).toBe(
    block(
      '05000000 34000000 01000000 00000000 01000000',
      '0400 0800 0500000000000000',
      '0500 0800 0000000000000000',
      '00000000 34000000',
    ),
  );
  const lossy = bytesOf((out) => writeStatistics(out, 1n, { interface: 0, received: 5, lost: 3, accepted: 2 }));
  expect(lossy).toContain(block('0500 0800 0300000000000000'));
  expect(lossy).toContain(block('0600 0800 0200000000000000'));
  expect(lossy).toContain(hex(new TextEncoder().encode('3 frames of the whole capture')));
});

test('classic pcap has a nanosecond magic and seconds with nanoseconds', () => {
  expect(bytesOf((out) => writePcapHeader(out, 262_144))).toBe(
    block('4d3cb2a1 0200 0400 00000000 00000000 00000400 01000000'),
  );
  const record = capturedFrame(2_000_000_003n, Uint8Array.of(1, 2, 3), 9, 1);
  expect(bytesOf((out) => writePcapRecord(out, record))).toBe(block('02000000 03000000 03000000 09000000 010203'));
});

test.each([0n, 999_999_999n, 1_000_000_000n, 1_767_225_599_999_999_999n, 1_767_225_600_000_000_000n, 2n ** 62n])(
  'classic pcap divides %d nanoseconds exactly',
  (timeNs) => {
    const out = new ByteBuffer();
    writePcapRecord(out, capturedFrame(timeNs, new Uint8Array(0), 0, 1));
    const written = new DataView(out.take().buffer);
    const parts = [written.getUint32(0, true), written.getUint32(4, true)];
    expect(parts).toEqual([Number(timeNs / 1_000_000_000n) % 2 ** 32, Number(timeNs % 1_000_000_000n)]);
  },
);

test('a file reaches its sink in large pieces and knows its length', () => {
  const pieces: number[] = [];
  const sink = {
    append: (bytes: Uint8Array) => void pieces.push(bytes.length),
    contents: () => undefined,
    close: () => undefined,
  };
  const file = new PcapngFile(sink);
  const index = file.addInterface('app', 'NIC app');
  const frame = capturedFrame(0n, new Uint8Array(1000), 1000, 1);
  const options = encodePacketOptions('inbound', []);
  for (let i = 0; i < 300; i++) file.writeFrame(index, frame, options);
  expect(pieces.length).toBe(1);
  file.finish(0n, [{ interface: index, received: 300, lost: 0 }]);
  expect(pieces.length).toBe(2);
  expect(pieces.reduce((sum, piece) => sum + piece, 0)).toBe(file.written);
  expect(file.buffered).toBe(0);
});

test('a pcap file numbers interfaces for its caller only', () => {
  const sink = memorySink();
  const file = new PcapFile(sink);
  expect([file.addInterface(), file.addInterface()]).toEqual([0, 1]);
  file.finish();
  expect(sink.contents()?.length).toBe(24);
});
