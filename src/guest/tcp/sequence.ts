// Arithmetic on 32-bit TCP sequence numbers (RFC 9293 section 3.4). Connections count stream positions as plain numbers
// (the SYN is position 0, the first byte of data position 1) and come here only to cross to and from the wire.

/** Sequence number of a stream position, given the initial sequence number. */
export function sequenceAt(initial: number, position: number): number {
  // Positions may pass 2^32, so the remainder is taken before the 32-bit addition.
  return (initial + (position % 0x1_0000_0000)) >>> 0;
}

/** The stream position of a sequence number, taken as the one nearest to `reference` (a position near it). */
export function positionOf(initial: number, sequence: number, reference: number): number {
  return reference + ((sequence - sequenceAt(initial, reference)) | 0);
}
