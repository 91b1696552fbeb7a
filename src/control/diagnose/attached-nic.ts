// Which NIC a diagnostic is about. Diagnostics ask the machine behind a NIC or its host: what has no machine, such as a
// private endpoint, cannot be asked (DIAG-5, DIAG-12).

import { formatIpv4 } from '../../wire/index.ts';
import { contains } from '../compile/address-set.ts';
import type { AddressSet } from '../compile/address-set.ts';
import type { Compiled } from '../compile/compiled.ts';
import type { Context, NicFacts } from '../compile/context.ts';

/** Nothing there can be asked. */
export class NotAvailable extends Error {
  override readonly name = 'NotAvailable';
}

/** The first NIC one of whose addresses lies in a set. Throws NotAvailable when there is none. */
export function nicWithin(context: Context, addresses: AddressSet): NicFacts {
  const found = context.nics.find((nic) => nic.addresses.some((address) => contains(addresses, address >>> 0)));
  if (found !== undefined) return found;
  const first = addresses[0] === undefined ? 'nowhere' : formatIpv4(addresses[0]);
  throw new NotAvailable(`no network interface has the address ${first}: a diagnostic needs one`);
}

/** Attachment id of a NIC. Throws NotAvailable when it has none. */
export function attachmentOf({ sideTable }: Compiled, { nic }: NicFacts): number {
  const found = sideTable.attachments.findIndex((info) => info?.id === nic.id);
  if (found === -1) throw new NotAvailable(`${nic.name} is not attached`);
  return found;
}
