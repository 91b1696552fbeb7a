// A case's `override` over its topology: field by field for single subnets, NICs and endpoints, whole entries for
// everything else that has names, the whole list for peerings.

/** Sections whose entries are merged field by field. */
const FIELD_BY_FIELD: ReadonlySet<string> = new Set(['subnets', 'nics', 'pes']);

type Mapping = Readonly<Record<string, unknown>>;

/** The topology with the override merged over it; neither is changed. */
export function mergeTopology(topology: Mapping, override: Mapping = {}): Mapping {
  const merged: Record<string, unknown> = { ...topology };
  for (const [section, entries] of Object.entries(override)) {
    merged[section] = mergeSection(section, topology[section], entries);
  }
  return merged;
}

function mergeSection(section: string, base: unknown, over: unknown): unknown {
  if (!isMapping(over)) return over;
  const entries: Record<string, unknown> = isMapping(base) ? { ...base } : {};
  for (const [name, value] of Object.entries(over)) {
    const old = entries[name];
    entries[name] = FIELD_BY_FIELD.has(section) && isMapping(old) && isMapping(value) ? { ...old, ...value } : value;
  }
  return entries;
}

/** True for a plain mapping of names to values. */
export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
