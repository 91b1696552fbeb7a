// Kind `pp2`: bytes of a PROXY protocol v2 header, of a consumer's connection or of a probe's (PLS-16 to PLS-18).

import { z } from 'zod';
import { parseIpv4 } from '../../wire/address.ts';
import { encodeProxyHeader, LOCAL_HEADER } from '../../wire/proxy-protocol.ts';
import type { CaseOutcome } from '../compare.ts';
import { judgeExpect } from '../kind.ts';
import type { CaseInput, Kind } from '../kind.ts';
import { parsePart } from '../notation.ts';

const port = z.int().min(0).max(0xffff);
const consumer = z.strictObject({
  local: z.literal(false).optional(),
  src: z.ipv4(),
  sport: port,
  dst: z.ipv4(),
  dport: port,
  linkId: z.int().min(0).max(0xffff_ffff),
});
const fieldsSchema = z.strictObject({ input: z.union([z.strictObject({ local: z.literal(true) }), consumer]) });

export const pp2: Kind = { run: runPp2, judge: judgeExpect() };

function runPp2({ fields }: CaseInput): CaseOutcome {
  const { input } = parsePart(fieldsSchema, fields, 'case');
  const bytes = input.local === true ? LOCAL_HEADER : encodeProxyHeader(addressesOf(input));
  return { hex: Buffer.from(bytes).toString('hex').toUpperCase(), bytes: bytes.length };
}

function addressesOf({ src, sport, dst, dport, linkId }: z.output<typeof consumer>) {
  return { src: parseIpv4(src), srcPort: sport, dst: parseIpv4(dst), dstPort: dport, linkId };
}
