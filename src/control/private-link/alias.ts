// Aliases of Private Link services (PLS-2): `<prefix>.<GUID>.<region>.azure.privatelinkservice`.

const SUFFIX = 'azure.privatelinkservice';
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** The alias of a service by its parts; the region in Azure's comparison form (`West Europe` is `westeurope`). */
export function privateLinkServiceAlias(parts: {
  readonly prefix: string;
  readonly guid: string;
  readonly region: string;
}): string {
  return `${parts.prefix}.${parts.guid}.${parts.region.toLowerCase().replaceAll(' ', '')}.${SUFFIX}`;
}

/** Whether a connection target is an alias of a Private Link service (PLS-2), not a resource id. */
export function isAlias(target: string): boolean {
  return /^[^/]+\.azure\.privatelinkservice$/i.test(target);
}

/** A GUID that one resource always has: aliases are globally unique, and runs must not differ. */
export function guidOf(id: string): string {
  const words = [0, 1, 2, 3].map((salt) => hash(`${salt} ${id.toLowerCase()}`).toString(16).padStart(8, '0'));
  const digits = words.join('');
  const at = [0, 8, 12, 16, 20, 32];
  return at
    .slice(1)
    .map((end, i) => digits.slice(at[i], end))
    .join('-');
}

function hash(text: string): number {
  let value = FNV_OFFSET;
  for (const letter of text) value = Math.imul(value ^ (letter.codePointAt(0) ?? 0), FNV_PRIME);
  // A last mixing, because texts that differ in their first letter only would keep neighbouring values.
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  return (value ^ (value >>> 13)) >>> 0;
}
