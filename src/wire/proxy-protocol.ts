// PROXY protocol version 2 as Private Link services use it (PLS-16 to PLS-18): the header that stands in front of the
// data of every TCP connection to a backend. Its own lengths, addresses and ports are big endian; only the LinkID in
// Azure's custom TLV is little endian.
//
//   0  signature (12)   12  0x21 PROXY, 0x20 LOCAL   13  0x11 TCP over IPv4   14  length of what follows
//   16 source   20 destination   24 ports   28  TLV 0xEE, length 5, value 0x01 and the LinkID

/** Who speaks to the backend through the service. Addresses and ports in host order, unsigned. */
export interface ProxyAddresses {
  /** The consumer's real address (PLS-16). */
  readonly src: number;
  readonly srcPort: number;
  /** Address and port of the endpoint, or of the frontend. */
  readonly dst: number;
  readonly dstPort: number;
}

export interface ProxyHeader extends ProxyAddresses {
  /** Unsigned 32-bit; equals `linkIdentifier` of the connection object (PLS-20). */
  readonly linkId: number;
}

/** What a header says: LOCAL for a probe's, PROXY for a consumer's; the addresses of one that names none are absent. */
export interface DecodedProxyHeader {
  readonly command: 'local' | 'proxy';
  readonly addresses?: ProxyAddresses | undefined;
  readonly linkId?: number | undefined;
  /** Bytes that it takes up in the stream. */
  readonly length: number;
}

/** Bytes of a header with addresses and LinkID (PLS-16). */
export const PROXY_HEADER = 36;
/** Bytes that say how long a header is. */
export const PROXY_HEADER_MIN = 16;

const SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a] as const;
const VERSION_COMMAND = 12; // u8
const FAMILY = 13; // u8
const LENGTH = 14; // u16
const SRC = 16; // u32
const DST = 20; // u32
const SRC_PORT = 24; // u16
const DST_PORT = 26; // u16
const TLVS = 28;

const LOCAL = 0x20;
const PROXY = 0x21;
const TCP_OVER_IPV4 = 0x11;
const ADDRESSES_LENGTH = 12;
const TLV_HEADER = 3;
const TLV_AZURE = 0xee;
const TLV_AZURE_LINK_ID = 0x01;
const TLV_AZURE_LENGTH = 5;

/** The header of a probe's connection: it names nobody (PLS-18). */
export const LOCAL_HEADER: Uint8Array = Uint8Array.from([...SIGNATURE, LOCAL, 0, 0, 0]);

/** The 36 bytes of a consumer's header. Throws RangeError for a field out of its range. */
export function encodeProxyHeader(header: ProxyHeader): Uint8Array {
  for (const [name, value] of Object.entries(header) as [keyof ProxyHeader, number][]) {
    const most = name === 'srcPort' || name === 'dstPort' ? 0xffff : 0xffff_ffff;
    if (!Number.isInteger(value) || value < 0 || value > most)
      throw new RangeError(`${name} ${value}: not 0 to ${most}`);
  }
  const bytes = new Uint8Array(PROXY_HEADER);
  const { src, srcPort, dst, dstPort, linkId } = header;
  writeProxyHeader(new DataView(bytes.buffer), 0, src, srcPort, dst, dstPort, linkId);
  return bytes;
}

/** Writes a consumer's header at byte `at`; addresses and LinkID are taken modulo 2^32. */
export function writeProxyHeader(
  frames: DataView,
  at: number,
  src: number,
  srcPort: number,
  dst: number,
  dstPort: number,
  linkId: number,
): void {
  for (let i = 0; i < SIGNATURE.length; i++) frames.setUint8(at + i, SIGNATURE[i]);
  frames.setUint8(at + VERSION_COMMAND, PROXY);
  frames.setUint8(at + FAMILY, TCP_OVER_IPV4);
  frames.setUint16(at + LENGTH, PROXY_HEADER - PROXY_HEADER_MIN);
  frames.setUint32(at + SRC, src);
  frames.setUint32(at + DST, dst);
  frames.setUint16(at + SRC_PORT, srcPort);
  frames.setUint16(at + DST_PORT, dstPort);
  frames.setUint8(at + TLVS, TLV_AZURE);
  frames.setUint16(at + TLVS + 1, TLV_AZURE_LENGTH);
  frames.setUint8(at + TLVS + TLV_HEADER, TLV_AZURE_LINK_ID);
  frames.setUint32(at + TLVS + TLV_HEADER + 1, linkId, true);
}

/** Reads the header at the start of a stream: `incomplete` until all of it is there, `invalid` when it is none. */
export function decodeProxyHeader(bytes: Uint8Array): DecodedProxyHeader | 'incomplete' | 'invalid' {
  const signature = Math.min(bytes.length, SIGNATURE.length);
  for (let i = 0; i < signature; i++) if (bytes[i] !== SIGNATURE[i]) return 'invalid';
  if (bytes.length > VERSION_COMMAND && bytes[VERSION_COMMAND] !== LOCAL && bytes[VERSION_COMMAND] !== PROXY) {
    return 'invalid';
  }
  if (bytes.length < PROXY_HEADER_MIN) return 'incomplete';
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const following = view.getUint16(LENGTH);
  const length = PROXY_HEADER_MIN + following;
  if (bytes.length < length) return 'incomplete';
  // A receiver skips what a LOCAL header carries, and the addresses of families that it does not know.
  if (bytes[VERSION_COMMAND] === LOCAL) return { command: 'local', length };
  if (bytes[FAMILY] !== TCP_OVER_IPV4) return { command: 'proxy', length };
  if (following < ADDRESSES_LENGTH) return 'invalid';
  const addresses = {
    src: view.getUint32(SRC),
    srcPort: view.getUint16(SRC_PORT),
    dst: view.getUint32(DST),
    dstPort: view.getUint16(DST_PORT),
  };
  const linkId = readLinkId(view, length);
  return linkId === 'invalid' ? 'invalid' : { command: 'proxy', addresses, linkId, length };
}

function readLinkId(view: DataView, end: number): number | undefined | 'invalid' {
  let linkId: number | undefined;
  for (let at = TLVS; at < end;) {
    if (at + TLV_HEADER > end) return 'invalid';
    const value = at + TLV_HEADER;
    const next = value + view.getUint16(at + 1);
    if (next > end) return 'invalid';
    const isAzures = view.getUint8(at) === TLV_AZURE && next - value === TLV_AZURE_LENGTH;
    if (isAzures && view.getUint8(value) === TLV_AZURE_LINK_ID) linkId = view.getUint32(value + 1, true);
    at = next;
  }
  return linkId;
}
