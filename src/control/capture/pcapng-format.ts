// Numbers of the pcapng format (draft-ietf-opsawg-pcapng) and of classic pcap (draft-ietf-opsawg-pcap) that both the
// writers and the readers need.

export const BLOCK = {
  sectionHeader: 0x0a0d0d0a,
  interface: 1,
  /** Obsolete, but old tools wrote it. */
  packet: 2,
  simplePacket: 3,
  nameResolution: 4,
  statistics: 5,
  enhancedPacket: 6,
} as const;

export const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
/** Type, length, and the length again at the end. */
export const BLOCK_OVERHEAD = 12;
export const SECTION_LENGTH_UNKNOWN = 0xffff_ffff_ffff_ffffn;

export const OPTION = {
  end: 0,
  comment: 1,
  // Section header
  hardware: 2,
  os: 3,
  userApplication: 4,
  // Interface
  name: 2,
  description: 3,
  timeResolution: 9,
  filter: 11,
  timeOffset: 14,
  // Enhanced packet
  flags: 2,
  packetId: 5,
  // Statistics
  received: 4,
  dropped: 5,
  filterAccepted: 6,
} as const;

/** First byte of an if_filter option: the text is in the language of libpcap. */
export const FILTER_LIBPCAP = 0;

export const NAME_RECORD = { end: 0, ipv4: 1 } as const;

/** Bits 0 and 1 of epb_flags. */
export const FLAG_INBOUND = 1;
export const FLAG_OUTBOUND = 2;

export const LINK_TYPE_ETHERNET = 1;

export const PCAP_MAGIC_MICROSECONDS = 0xa1b2c3d4;
export const PCAP_MAGIC_NANOSECONDS = 0xa1b23c4d;
export const PCAP_HEADER = 24;
export const PCAP_RECORD_HEADER = 16;

export type Direction = 'inbound' | 'outbound';
