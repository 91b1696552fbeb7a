// What the slow path knows about one pass: header fields read once, decisions as they fall, provenance. One object per
// forwarder, reused for every packet; only numbers, so that its shape never changes.

import { DROP } from '../abi/drop-reasons.ts';
import {
  NONE,
  PROVENANCE_WORDS,
  PROV_DROP,
  PROV_DROP_AT,
  PROV_EPOCH,
  PROV_ESTABLISHED,
  PROV_INGRESS,
  PROV_STAGE,
  PROV_TRANSLATION,
} from '../abi/provenance.ts';

/** What the stages decided to do with the packet; `pass.fate`. */
export const FATE = { undecided: 0, deliver: 1, consume: 2, answer: 3, drop: 4 } as const;

/** What the fabric answers in the packet's own slot; `pass.answer`. */
export const ANSWER = { arp: 0, reset: 1, fragmentationNeeded: 2, prohibited: 3, protocolUnreachable: 4 } as const;

export interface Pass {
  /** Byte offsets of the headers in the arena. */
  l2: number;
  l3: number;
  l4: number;
  /** Frame length in bytes. */
  length: number;
  now: number;
  facts: number;
  /** Attachment the frame came from, its kind and network. */
  ingress: number;
  kind: number;
  network: number;
  protocol: number;
  /** Addresses as signed images of host order; ports in host order (ICMP echo: the identifier in both). */
  src: number;
  dst: number;
  srcPort: number;
  dstPort: number;
  tcpFlags: number;
  totalLength: number;
  /** 0 whole packet, 1 first fragment, 2 later fragment. */
  fragment: number;
  /** 1 for ICMP errors. */
  icmpError: number;
  /** Own record of the sender as the hit path found it, 0 for none, NONE when nobody has looked. */
  known: number;
  /** Own record of the sender, 0 for none. */
  record: number;
  /** Record of the receiver for the translated five-tuple, 0 for none, NONE while nobody has looked. */
  peer: number;
  /** 1: connection state lets this packet skip the sender's rules. */
  established: number;
  /** 1: a bare SYN starts the connection afresh (NSG-35). */
  fresh: number;
  /** Translated header fields; equal to the originals where nothing changes. */
  newSrc: number;
  newDst: number;
  newSrcPort: number;
  newDstPort: number;
  /** Attachment that gets the packet, NONE while undecided. */
  egress: number;
  /** Private endpoint crossed towards its service, NONE for none. */
  endpoint: number;
  /** Load balancer frontend that the packet is for, NONE for none. */
  frontend: number;
  /** 1: the connection carries a PROXY header: never cached, the proxy stage rewrites it (PLS-15). */
  proxied: number;
  /** ANSWER of a pass whose fate is `answer`. */
  answer: number;
  /** Attachment that replies of a translated leg go to. */
  replyTo: number;
  /** NAT pool that translates the source, NONE for none. */
  natPool: number;
  fate: number;
  readonly provenance: Int32Array;
}

/** A pass with nothing in it. */
export function createPass(): Pass {
  return {
    l2: 0,
    l3: 0,
    l4: 0,
    length: 0,
    now: 0,
    facts: 0,
    ingress: 0,
    kind: 0,
    network: 0,
    protocol: 0,
    src: 0,
    dst: 0,
    srcPort: 0,
    dstPort: 0,
    tcpFlags: 0,
    totalLength: 0,
    fragment: 0,
    icmpError: 0,
    known: 0,
    record: 0,
    peer: 0,
    established: 0,
    fresh: 0,
    newSrc: 0,
    newDst: 0,
    newSrcPort: 0,
    newDstPort: 0,
    egress: 0,
    endpoint: 0,
    frontend: 0,
    proxied: 0,
    answer: 0,
    replyTo: 0,
    natPool: 0,
    fate: FATE.undecided,
    provenance: new Int32Array(PROVENANCE_WORDS),
  };
}

/** Begins a pass: nothing decided, nothing crossed. */
export function beginPass(pass: Pass, epoch: number, ingress: number): void {
  pass.ingress = ingress;
  pass.fragment = 0;
  pass.icmpError = 0;
  pass.tcpFlags = 0;
  pass.srcPort = 0;
  pass.dstPort = 0;
  pass.record = 0;
  pass.peer = NONE;
  pass.established = 0;
  pass.fresh = 0;
  pass.egress = NONE;
  pass.endpoint = NONE;
  pass.frontend = NONE;
  pass.proxied = 0;
  pass.answer = ANSWER.arp;
  pass.replyTo = NONE;
  pass.natPool = NONE;
  pass.fate = FATE.undecided;
  const { provenance } = pass;
  for (let w = 0; w < PROVENANCE_WORDS; w++) provenance[w] = NONE;
  provenance[PROV_EPOCH] = epoch;
  provenance[PROV_INGRESS] = ingress;
  provenance[PROV_DROP] = DROP.NONE;
  provenance[PROV_STAGE] = 0;
  provenance[PROV_TRANSLATION] = 0;
  provenance[PROV_ESTABLISHED] = 0;
}

/** Ends a pass with a drop. `at`: attachment where it happened, NONE for an endpoint (PROV_ENDPOINT names it). */
export function dropAt(pass: Pass, reason: number, stage: number, at: number): void {
  pass.fate = FATE.drop;
  pass.provenance[PROV_DROP] = reason;
  pass.provenance[PROV_STAGE] = stage;
  pass.provenance[PROV_DROP_AT] = at;
}
