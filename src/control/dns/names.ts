// Domain names as resolvers compare them: lower case, no dot at the end; and suffixes of whole labels.

/** A name in its comparison form. */
export function nameKey(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

/** True when `name` is `suffix` or stands below it; both in comparison form, `` is the root. */
export function isBelow(name: string, suffix: string): boolean {
  return suffix === '' || name === suffix || name.endsWith(`.${suffix}`);
}

/** The name of `name` inside a zone: `@` for the zone itself; both in comparison form, `name` below the zone. */
export function relativeTo(name: string, zone: string): string {
  return name === zone ? '@' : name.slice(0, -zone.length - 1);
}

/** The entry with the longest suffix that `name` stands below; the first of several (DNS-4, DNS-17). */
export function longestSuffix<T>(name: string, entries: readonly T[], suffixOf: (entry: T) => string): T | undefined {
  let best: T | undefined;
  let length = -1;
  for (const entry of entries) {
    const suffix = nameKey(suffixOf(entry));
    if (suffix.length <= length || !isBelow(name, suffix)) continue;
    best = entry;
    length = suffix.length;
  }
  return best;
}

/** `4.1.0.10.in-addr.arpa` of 10.0.1.4. */
export function reverseName(address: string): string {
  return `${address.split('.').toReversed().join('.')}.in-addr.arpa`;
}
