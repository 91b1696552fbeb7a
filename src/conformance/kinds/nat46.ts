// Kind `nat46`: the IPv6 addresses that the fabric writes for private endpoints and service endpoints (PE-31, SEP-5).

import { z } from 'zod';
import { privateLinkTransform } from '../../abi/private-link-transform.ts';
import type { MaskedAddress } from '../../abi/private-link-transform.ts';
import { parseIpv4 } from '../../wire/address.ts';
import { formatIpv6, parseIpv6 } from '../../wire/address6.ts';
import type { CaseOutcome, Comparator } from '../compare.ts';
import { judgeExpect } from '../kind.ts';
import type { CaseInput, Kind } from '../kind.ts';
import { parsePart } from '../notation.ts';

const fieldsSchema = z.strictObject({
  input: z.strictObject({
    src: z.string(),
    dst: z.string(),
    sipAddr: z.string(),
    sipMask: z.string(),
    eniAddr: z.string().optional(),
    eniMask: z.string().optional(),
    dipAddr: z.string(),
    dipMask: z.string(),
  }),
});

const sameIpv6: Comparator = (expected, got) =>
  typeof expected === 'string' && typeof got === 'string' && parseIpv6(expected) === parseIpv6(got);

export const nat46: Kind = { run: runNat46, judge: judgeExpect({ src6: sameIpv6, dst6: sameIpv6 }) };

function runNat46({ fields }: CaseInput): CaseOutcome {
  const { input } = parsePart(fieldsSchema, fields, 'case');
  const nic = input.eniAddr === undefined ? {} : { nic: masked(input.eniAddr, input.eniMask) };
  const { src6, dst6 } = privateLinkTransform(parseIpv4(input.src), parseIpv4(input.dst), {
    source: masked(input.sipAddr, input.sipMask),
    ...nic,
    destination: masked(input.dipAddr, input.dipMask),
  });
  return { src6: formatIpv6(src6), dst6: formatIpv6(dst6) };
}

function masked(address: string, mask: string | undefined): MaskedAddress {
  if (mask === undefined) throw new Error(`the address ${address} is given without its mask`);
  return { address: parseIpv6(address), mask: parseIpv6(mask) };
}
