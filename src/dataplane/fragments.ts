// Fragments (WIRE-15): the first fragment, which carries the ports, is judged like any packet and leaves an entry;
// later ones follow it, in order. A later fragment without an entry is dropped and creates nothing. The fabric never
// fragments nor reassembles.

import { FRAGMENT_MS } from '../abi/limits.ts';
import { ipv4FragmentOffset, ipv4HeaderLength, ipv4Id, ipv4MoreFragments } from '../wire/ipv4.ts';
import type { Pass } from './pass.ts';

const ENTRIES_MAX = 4096;

interface FragmentEntry {
  readonly egress: number;
  readonly endpoint: number;
  readonly newSrc: number;
  readonly newDst: number;
  readonly provenance: Int32Array;
  /** Offset that the next fragment must have, bytes. */
  nextOffset: number;
  deadline: number;
}

export class Fragments {
  private readonly entries = new Map<string, FragmentEntry>();

  /** Remembers what became of a first fragment. */
  remember(pass: Pass, frames: DataView): void {
    if (this.entries.size >= ENTRIES_MAX) this.expire(pass.now);
    if (this.entries.size >= ENTRIES_MAX) return;
    this.entries.set(keyOf(pass, frames), {
      egress: pass.egress,
      endpoint: pass.endpoint,
      newSrc: pass.newSrc,
      newDst: pass.newDst,
      provenance: pass.provenance.slice(),
      nextOffset: pass.totalLength - ipv4HeaderLength(frames, pass.l3),
      deadline: pass.now + FRAGMENT_MS,
    });
  }

  /** Applies the first fragment's decision to a later one; false when there is none or the order is broken. */
  follow(pass: Pass, frames: DataView): boolean {
    const key = keyOf(pass, frames);
    const entry = this.entries.get(key);
    if (entry === undefined) return false;
    if (pass.now - entry.deadline >= 0) {
      this.entries.delete(key);
      return false;
    }
    if (ipv4FragmentOffset(frames, pass.l3) !== entry.nextOffset) return false;
    entry.nextOffset += pass.totalLength - ipv4HeaderLength(frames, pass.l3);
    entry.deadline = pass.now + FRAGMENT_MS;
    if (!ipv4MoreFragments(frames, pass.l3)) this.entries.delete(key);
    pass.egress = entry.egress;
    pass.endpoint = entry.endpoint;
    pass.newSrc = entry.newSrc;
    pass.newDst = entry.newDst;
    pass.provenance.set(entry.provenance);
    return true;
  }

  /** Forgets everything: the tables that the entries were made with are gone. */
  clear(): void {
    this.entries.clear();
  }

  private expire(now: number): void {
    for (const [key, entry] of this.entries) if (now - entry.deadline >= 0) this.entries.delete(key);
  }
}

function keyOf(pass: Pass, frames: DataView): string {
  return `${pass.ingress} ${pass.src} ${pass.dst} ${pass.protocol} ${ipv4Id(frames, pass.l3)}`;
}
