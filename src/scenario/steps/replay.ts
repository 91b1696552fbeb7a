// replay: the frames of a capture file, sent from one attachment at the times at which they were recorded. Addresses
// are mapped on request, with all checksums corrected; the MAC addresses are always those of the sender's link.

import { frameBytesMaxFor } from '../../control/engine/frame-size.ts';
import {
  ETHERNET_HEADER,
  FABRIC_MAC,
  internetChecksum,
  ipv4HeaderLength,
  parseFrame,
  PROTOCOL_TCP,
  setEthernetDst,
  setEthernetSrc,
  setIpv4Checksum,
  setIpv4Dst,
  setIpv4Src,
  setTcpChecksum,
  setUdpChecksum,
  tryParseIpv4,
  udpWireChecksum,
  updateChecksum32,
  viewOf,
} from '../../wire/index.ts';
import { Conversation } from '../conversation.ts';
import { quietAfterNs, runUntilQuiet, watchConversation } from '../observation.ts';
import { StepProblem } from '../session.ts';
import { macOf } from './packet.ts';
import type { CaptureContents } from '../../control/capture/capture-reader.ts';
import type { ParsedIpv4 } from '../../wire/index.ts';
import type { Facts } from '../expectations.ts';
import type { ActionOf } from '../format/step-schemas.ts';
import type { Session } from '../session.ts';

/** Sends all frames and judges them, not the answers that they cause. */
export function runReplay(session: Session, value: ActionOf<'replay'>, capture: CaptureContents): Facts {
  const { simulation } = session;
  const { attachment } = session.sender(value.from);
  const mac = macOf(simulation, attachment);
  const addresses = addressMap(value.map ?? {});
  const frames = capture.frames.map((frame) => ({
    timeNs: frame.timeNs,
    bytes: mapFrame(frame.bytes, mac, addresses),
  }));
  const most = frameBytesMaxFor(simulation.compiled.network);
  const tooLong = frames.findIndex((frame) => frame.bytes.length > most);
  if (tooLong !== -1) {
    const message = `frame ${tooLong + 1} of ${value.file} has ${frames[tooLong]?.bytes.length} bytes`;
    throw new StepProblem({ code: 'SCENARIO_FRAME', message, hint: `at most ${most} can be sent` });
  }
  const conversation = new Conversation();
  const packets = new Set<number>();
  const watch = watchConversation(simulation, conversation, undefined, (event) => packets.has(event.packetId));
  let left = frames.length;
  const startNs = simulation.now();
  const firstNs = frames[0]?.timeNs ?? 0n;
  for (const { timeNs, bytes } of frames) {
    // Frames of a file are not always in order of time; none is sent before the first.
    const afterNs = Math.max(0, Number(timeNs - firstNs)) / (value.speed ?? 1);
    simulation.at(startNs + Math.round(afterNs), () => {
      const packetId = simulation.inject(attachment, bytes);
      packets.add(packetId);
      conversation.addPacket(packetId);
      watch.quietAtNs = simulation.now() + quietAfterNs(simulation, attachment);
      left--;
    });
  }
  simulation.runWhile(() => left > 0, Infinity);
  runUntilQuiet(simulation, watch);
  watch.stop();
  const { observation } = watch;
  return { counts: { lost: watch.lost() }, observation, passes: observation.decisive() };
}

function addressMap(map: Readonly<Record<string, string>>): Map<number, number> {
  return new Map(Object.entries(map).map(([from, to]) => [addressOf(from), addressOf(to)]));
}

function addressOf(text: string): number {
  const address = tryParseIpv4(text);
  if (address !== undefined) return address;
  throw new StepProblem({ code: 'SCENARIO_VALUE', message: `'${text}' is not an IPv4 address`, hint: 'map addresses' });
}

/** A frame for the link of this MAC, its addresses mapped. */
export function mapFrame(bytes: Uint8Array, mac: number, addresses: ReadonlyMap<number, number>): Uint8Array {
  const frame = bytes.slice();
  if (frame.length < ETHERNET_HEADER) return frame;
  const frames = viewOf(frame);
  setEthernetSrc(frames, 0, mac);
  setEthernetDst(frames, 0, FABRIC_MAC);
  const parsed = parseFrame(frame);
  if (parsed.kind !== 'ipv4') return frame;
  const src = addresses.get(parsed.src) ?? parsed.src;
  const dst = addresses.get(parsed.dst) ?? parsed.dst;
  if (src === parsed.src && dst === parsed.dst) return frame;
  const { l3 } = parsed;
  setIpv4Src(frames, l3, src);
  setIpv4Dst(frames, l3, dst);
  setIpv4Checksum(frames, l3, 0);
  setIpv4Checksum(frames, l3, internetChecksum(frames, l3, ipv4HeaderLength(frames, l3)));
  mapTransport(frames, parsed, src, dst);
  return frame;
}

// The transport checksum covers the addresses (RFC 1624): corrected, not computed anew, so that a damaged packet of the
// file stays damaged.
function mapTransport(frames: DataView, parsed: ParsedIpv4, src: number, dst: number): void {
  const { l4, tcp, udp } = parsed;
  const corrected = (checksum: number): number =>
    updateChecksum32(updateChecksum32(checksum, parsed.src, src), parsed.dst, dst);
  if (tcp !== undefined && parsed.protocol === PROTOCOL_TCP) setTcpChecksum(frames, l4, corrected(tcp.checksum));
  if (udp !== undefined && udp.checksum !== 0) setUdpChecksum(frames, l4, udpWireChecksum(corrected(udp.checksum)));
}
