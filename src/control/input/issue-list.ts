// What can be wrong with an input before its meaning is checked: every code with its one-line meaning (docs/issues.md
// is generated from this table), and the list that readers add to while they go on reading.

import type { Issue, Severity } from '../issues.ts';
import { pathOf, sourceOf } from './places.ts';
import type { At } from './places.ts';

/** Code to meaning. Codes are stable: tests and other tools compare them. */
export const INPUT_ISSUE_CODES = {
  INPUT_NOT_FOUND: 'No file or directory has this path.',
  INPUT_UNREADABLE: 'The file or directory exists but cannot be read.',
  INPUT_KIND_UNKNOWN: 'The path is not a directory and does not end in .json, .yaml or .yml.',
  INPUT_TOO_LARGE: 'The file is larger than the limit for inputs.',
  INPUT_NOT_TEXT: 'The file is not UTF-8 text.',
  INPUT_EMPTY: 'The file holds nothing, or the directory holds no input file.',
  JSON_SYNTAX: 'The text is not valid JSON.',
  YAML_SYNTAX: 'The text is not valid YAML.',
  YAML_TAG_IGNORED: 'A YAML tag is not known and was ignored.',
  YAML_KEY_NOT_TEXT: 'A key of a YAML mapping is a list or a mapping.',
  YAML_ALIASES_EXCESSIVE: 'Aliases of the YAML text would expand to too many values.',
  NESTING_TOO_DEEP: 'Lists and mappings are nested deeper than any real input.',
  DUPLICATE_KEY: 'One mapping has the same key twice.',
  TOPOLOGY_NOT_MAPPING: 'A topology must be a mapping; the text is a single value.',
  FORM_NOT_SUPPORTED: 'The input is of a kind that is not read: a deployment template.',
  UNKNOWN_KEY: 'A key of the topology is not known.',
  KEY_MISSING: 'A required key of the topology is missing.',
  VALUE_WRONG: 'A value has the wrong type or form.',
  NAME_NOT_FOUND: 'A name in the topology does not exist.',
  NAME_AMBIGUOUS: 'A name in the topology stands for several resources.',
  DUPLICATE_NAME: 'Two things that scenarios call by name have the same name; case does not count.',
  SETTINGS_DIFFER: 'Two topologies set the profile or one switch differently; the last one counts.',
  RESOURCE_NOT_OBJECT: 'A list of resources holds something that is not an object.',
  RESOURCE_TYPE_MISSING: 'A resource has neither a type nor an id that tells its type.',
  RESOURCE_NAME_MISSING: 'A resource has neither a name nor an id.',
  RESOURCE_TYPE_IGNORED: 'Resources of this type are not emulated and were ignored (reported once per type).',
  RESOURCE_DUPLICATE: 'Two different resources have one id; the last one counts.',
  RESOURCE_NONE: 'The inputs hold no resource.',
  FIELD_TYPE: 'A property of a resource has the wrong type.',
  FIELD_MISSING: 'A required property of a resource is missing.',
  FIELD_VALUE: 'A property of a resource has a value that is not known.',
  REFERENCE_NOT_FOUND: 'A resource refers to one that is not in the input; the reference was dropped.',
  LINK_CONFLICT: 'The two ends of a link name different partners; the end that holds the property counts.',
  DEFAULT_RULE_DIFFERS: 'An exported default security rule differs from the rule that Azure documents.',
  IPV6_IGNORED: 'An IPv6 address or prefix was ignored: networks are emulated in IPv4.',
  SUBNET_PREFIXES_IGNORED: 'A subnet has several IPv4 prefixes; only the first counts.',
  CONNECTION_IGNORED: 'A gateway connection does not lead to a local network gateway and was ignored.',
  TARGET_ASSUMED: 'The target of a private endpoint is not in the input; one with default ports was assumed.',
  ADDRESS_SYNTAX: 'A text is not an IPv4 address.',
  PREFIX_SYNTAX: 'A text is not an IPv4 prefix.',
  PREFIX_HOST_BITS: 'A prefix has address bits set after its length.',
  MAC_SYNTAX: 'A text is not a MAC address.',
  PORT_SYNTAX: 'A text is not a port, a port range or *.',
  ADDRESS_OR_TAG_SYNTAX: 'A text is neither an address, a prefix, a service tag nor *.',
  SERVICE_TAGS_SHAPE: 'A service tag file does not have the published shape.',
  SUBNET_FULL: 'No free address is left in the subnet for a dynamic allocation.',
} as const;

export type InputIssueCode = keyof typeof INPUT_ISSUE_CODES;

/** Issues in the order in which they were found, each once: readers may look at one value several times. */
export class IssueList {
  readonly items: Issue[] = [];
  readonly #seen = new Set<string>();

  error(code: InputIssueCode, at: At | undefined, message: string, hint: string): void {
    this.#add('error', code, at, message, hint);
  }

  warning(code: InputIssueCode, at: At | undefined, message: string, hint: string): void {
    this.#add('warning', code, at, message, hint);
  }

  #add(severity: Severity, code: InputIssueCode, at: At | undefined, message: string, hint: string): void {
    const source = at === undefined ? undefined : sourceOf(at);
    const path = at === undefined ? '' : pathOf(at);
    const issue: Issue = { code, severity, message, hint };
    const key = [code, source?.file, source?.line, source?.column, path, message].join('\n');
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.items.push({ ...issue, ...(source && { source }), ...(path !== '' && { path }) });
  }
}
