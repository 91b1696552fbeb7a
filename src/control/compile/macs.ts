// MAC addresses of attachments: the NIC's own where the input gives one, else from Microsoft's 00-0D-3A block with the
// low digits of the address (NET-13), unique in the network and kept over compiles (NET-12).

import { parseMac } from '../../wire/index.ts';
import type { AttachmentTable } from '../../abi/program.ts';
import type { AttachmentPlan } from './registry.ts';

const MICROSOFT = 0x000d3a000000;
const LOW_DIGITS = 0xffffff;
/** Where generated addresses go on when the digits of the IPv4 address are taken. */
const SECOND_CHOICE = MICROSOFT + 0x800000;

/** MAC by attachment id. `addresses` is the primary IPv4 address by attachment id, `previous` the table before. */
export function assignMacs(
  plans: readonly AttachmentPlan[],
  addresses: Int32Array,
  previous: AttachmentTable | undefined,
): ReadonlyMap<number, number> {
  const macs = new Map<number, number>();
  const taken = new Set<number>();
  const give = (id: number, mac: number): void => {
    macs.set(id, mac);
    taken.add(mac);
  };
  for (const { nic, info } of plans) {
    const written = nic?.nic.properties.macAddress;
    if (written !== undefined && written !== '') give(info.attachment, parseMac(written));
  }
  const open = plans.map((plan) => plan.info.attachment).filter((id) => !macs.has(id));
  for (const id of open) {
    const before = previous === undefined ? undefined : macBefore(previous, id, addresses);
    if (before !== undefined && !taken.has(before)) give(id, before);
  }
  for (const id of open) {
    if (macs.has(id)) continue;
    let mac = MICROSOFT + ((addresses[id] as number) & LOW_DIGITS);
    for (let next = SECOND_CHOICE + id; taken.has(mac); next++) mac = next;
    give(id, mac);
  }
  return macs;
}

/** What the attachment bore before, if its primary address is still the same (NET-12). */
function macBefore(previous: AttachmentTable, id: number, addresses: Int32Array): number | undefined {
  const high = previous.macHigh[id];
  const low = previous.macLow[id];
  if (high === undefined || low === undefined || previous.address[id] !== addresses[id]) return undefined;
  const mac = high * 2 ** 32 + (low >>> 0);
  return Math.floor(mac / 2 ** 24) === MICROSOFT / 2 ** 24 ? mac : undefined;
}
