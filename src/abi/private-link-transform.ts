// The IPv4 to IPv6 translation that Azure's fabric applies to traffic of private endpoints and service endpoints
// (PE-31, SEP-5). Guests never see it; it exists for what the fabric itself carries. Addresses are 128-bit bigints.

const ALL_ONES = (1n << 128n) - 1n;

/** Bits that a mapping fixes: `address` where `mask` is set. */
export interface MaskedAddress {
  readonly address: bigint;
  readonly mask: bigint;
}

export interface PrivateLinkMapping {
  /** Source prefix of the mapping (`sip`). */
  readonly source: MaskedAddress;
  /** Identity of the sending NIC (`eni`), laid over the source prefix; service endpoints have none. */
  readonly nic?: MaskedAddress;
  /** Destination prefix of the mapping (`dip`). */
  readonly destination: MaskedAddress;
}

/**
 * The IPv6 source and destination of a packet from `src` to `dst` (unsigned IPv4 addresses), by the formula of PE-31:
 * `src6 = ((src & ~m1 | a1) & ~m2) | a2`, `dst6 = (dst & ~md) | ad`. The masks decide how much of the IPv4 address
 * survives: the source keeps it in its low 32 bits, a /128 destination hides it.
 */
export function privateLinkTransform(
  src: number,
  dst: number,
  mapping: PrivateLinkMapping,
): { readonly src6: bigint; readonly dst6: bigint } {
  const prefixed = overlay(BigInt(src), mapping.source);
  const src6 = mapping.nic === undefined ? prefixed : overlay(prefixed, mapping.nic);
  return { src6, dst6: overlay(BigInt(dst), mapping.destination) };
}

function overlay(value: bigint, { address, mask }: MaskedAddress): bigint {
  return (value & (ALL_ONES ^ mask)) | address;
}
