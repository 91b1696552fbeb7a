// Behaviour profiles and switches (azure-semantics 0.3): what Azure did when, and every open question as a named
// switch with its default. A scenario or a command line selects the profile and may set single switches.

export const PROFILES = ['ga-2026', 'preview-2022', 'pe-2020', 'interface-endpoint-2018'] as const;
export type ProfileName = (typeof PROFILES)[number];

/** What a switch settles, its default under ga-2026, and its values: booleans unless it lists words or a range. */
export interface SwitchInfo {
  readonly rule: string;
  readonly text: string;
  readonly default: boolean | number | string;
  readonly values?: readonly string[];
  readonly range?: readonly [least: number, most: number];
}

export const SWITCHES = {
  'adf.publicOutbound': {
    rule: 'ADF-3',
    text: 'what a managed network reaches publicly',
    default: 'all',
    values: ['all', 'https'],
  },
  'arp.answerUnused': { rule: 'WIRE-4', text: 'ARP is answered for addresses nobody owns', default: true },
  'diag.strictRestEnum': { rule: 'Q-9b', text: 'next hop names a private endpoint VnetLocal', default: false },
  'dns.rulesetFirst': { rule: 'Q-10', text: 'a forwarding ruleset comes before linked private zones', default: false },
  'drop.reply': { rule: 'PIPE-3', text: 'drops at rules and routes are answered with ICMP', default: false },
  'lb.hashSeed': { rule: 'Q-8', text: 'seed of the load balancer hash', default: 0, range: [0, 65_535] },
  'mi.defaultConnectionType': {
    rule: 'SQLMI-11',
    text: 'what proxyOverride Default means',
    default: 'Redirect',
    values: ['Proxy', 'Redirect'],
  },
  'mi.endpointSource': {
    rule: 'Q-7b',
    text: 'source that an instance sees through an endpoint',
    default: 'client',
    values: ['client', 'gateway'],
  },
  'mi.error40532State': { rule: 'Q-15', text: 'state number of error 40532', default: 1, range: [0, 255] },
  'mi.peeredCountsAsSame': {
    rule: 'SQLMI-22',
    text: 'peered networks use the DNS set-up of the same network',
    default: false,
  },
  'mi.redirectPorts': {
    rule: 'SQLMI-10',
    text: 'ports of redirected connections',
    default: '11000-11999',
    values: ['11000-11999', '1433'],
  },
  'net.defaultOutboundAccess': {
    rule: 'NET-16',
    text: 'subnets without a setting have default outbound access',
    default: false,
  },
  'net.fragmentationNeeded': { rule: 'Q-9', text: 'the fabric answers too large packets with ICMP', default: false },
  'nsg.anyCoversEspAh': { rule: 'Q-17', text: 'protocol * covers ESP and AH', default: true },
  'nsg.customDnsBypass': { rule: 'NSG-31', text: 'port 53 to configured DNS servers bypasses NSGs', default: true },
  'nsg.customDnsBypassScope': {
    rule: 'Q-14',
    text: 'which servers the bypass covers',
    default: 'configured',
    values: ['configured', 'any'],
  },
  'nsg.idleMinutes': {
    rule: 'Q-11',
    text: 'idle minutes of a flow where the network sets none',
    default: 4,
    range: [4, 30],
  },
  'nsg.requireSyn': { rule: 'Q-5', text: 'a flow may only be created by a SYN (NSG-35)', default: false },
  'pe.admissionFirst': {
    rule: 'Q-20',
    text: 'admission comes before the rules in front of an endpoint',
    default: false,
  },
  'pe.approveAfterReject': { rule: 'PE-18', text: 'an owner may approve after rejecting', default: false },
  'pe.closedPortReply': {
    rule: 'Q-3',
    text: 'answer of an endpoint on a port it does not serve',
    default: 'drop',
    values: ['drop', 'reset'],
  },
  'pe.notApprovedReply': {
    rule: 'Q-1',
    text: 'answer of an endpoint that is not Approved',
    default: 'drop',
    values: ['drop', 'reset'],
  },
  'pe.otherProtocolReply': {
    rule: 'Q-4b',
    text: 'answer of an endpoint to UDP and ICMP',
    default: 'drop',
    values: ['drop', 'unreachable'],
  },
  'pe.peeredRefused': { rule: 'IFE-4', text: 'the endpoint refuses traffic from peered networks', default: false },
  'pe.revokeKillsFlows': { rule: 'Q-2', text: 'rejecting or removing ends established flows (PE-21)', default: false },
  'pe.routeTablePolicies': {
    rule: 'ROUTE-39',
    text: 'user-defined routes may invalidate the endpoint /32',
    default: true,
  },
  'pe.subnetRouteTableAffectsReturn': {
    rule: 'Q-13',
    text: "replies follow the route table of the endpoint's subnet",
    default: false,
  },
  'peer.accessRemovesEndpointRoute': {
    rule: 'Q-16',
    text: 'allowVirtualNetworkAccess false removes the /32',
    default: false,
  },
  'pls.hashAfterNat': { rule: 'Q-6', text: 'backends are chosen by the translated five-tuple', default: false },
  'pls.proxyDestination': {
    rule: 'Q-7',
    text: 'destination in the PROXY header',
    default: 'endpoint',
    values: ['endpoint', 'frontend'],
  },
  'pnsg.dropFault': {
    rule: 'PNSG-14',
    text: 'intermittent drops of Key Vault and ZRS storage endpoints',
    default: false,
  },
  'pnsg.firstRange': {
    rule: 'PNSG-10',
    text: 'only the first port range of a rule counts in front of endpoints',
    default: false,
  },
  'pnsg.sourcePortAny': { rule: 'PNSG-5', text: 'source ports are read as any in front of endpoints', default: true },
  'pnsg.supported': { rule: 'PNSG-15', text: 'NSGs may apply to private endpoints at all', default: true },
  'publicIp.sku': {
    rule: 'NET-18',
    text: 'SKU of public addresses that state none',
    default: 'Standard',
    values: ['Standard', 'Basic'],
  },
  'routes.defaultRemoves172': { rule: 'Q-19', text: 'a 0/0 override removes 172.16.0.0/12 too', default: true },
  'routes.defaultRemovesExtraNone': {
    rule: 'Q-19',
    text: 'a 0/0 override removes the extra None routes',
    default: false,
  },
  'routes.defaultRemovesNone': {
    rule: 'Q-18',
    text: 'next hops of a 0/0 override that remove None routes',
    default: 'inside',
    values: ['inside', 'gateway', 'any'],
  },
  'routes.extraNone': { rule: 'ROUTE-4', text: 'the four extra None routes of the 2026 table', default: true },
  'sep.longerUdrWins': { rule: 'Q-12', text: 'a longer user-defined route beats a service endpoint', default: false },
  'tag.vnetIncludesDefaultRoute': { rule: 'NSG-17', text: '0/0 routes count into VirtualNetwork', default: true },
  'tag.vnetIncludesHostVip': { rule: 'NSG-19', text: '168.63.129.16 counts into VirtualNetwork', default: true },
  'tag.vnetRoutes': {
    rule: 'Q-4',
    text: 'whose user-defined routes count into VirtualNetwork',
    default: 'subnet',
    values: ['subnet', 'network'],
  },
} as const satisfies Readonly<Record<string, SwitchInfo>>;

export type SwitchName = keyof typeof SWITCHES;
type ValueOf<Info> = Info extends { readonly values: readonly (infer Word)[] }
  ? Word
  : Info extends { readonly range: unknown }
    ? number
    : boolean;
export type Switches = { readonly [Name in SwitchName]: ValueOf<(typeof SWITCHES)[Name]> };
export type SwitchValue = Switches[SwitchName];

export const SWITCH_NAMES = Object.keys(SWITCHES) as readonly SwitchName[];

/** The value that a user wrote for a switch, undefined when it is none of its values; `on`, `off` and numbers as text
 * are what a command line can say. */
export function switchValue(name: SwitchName, written: unknown): SwitchValue | undefined {
  const { values, range }: SwitchInfo = SWITCHES[name];
  if (values !== undefined) return values.find((value) => value === written) as SwitchValue | undefined;
  if (range !== undefined) {
    const number = typeof written === 'string' && /^\d+$/.test(written) ? Number(written) : written;
    return Number.isInteger(number) && Number(number) >= range[0] && Number(number) <= range[1]
      ? (number as SwitchValue)
      : undefined;
  }
  if (written === true || written === 'on') return true;
  return written === false || written === 'off' ? false : undefined;
}

/** The values of a switch in words, for messages and help. */
export function switchValuesText(name: SwitchName): string {
  const { values, range }: SwitchInfo = SWITCHES[name];
  return values?.join('|') ?? (range === undefined ? 'on|off' : `${range[0]}-${range[1]}`);
}

const GA_2026 = Object.fromEntries(SWITCH_NAMES.map((name) => [name, SWITCHES[name].default])) as unknown as Switches;

const PREVIEW_2022: Switches = {
  ...GA_2026,
  'routes.extraNone': false,
  'pe.approveAfterReject': true,
  'net.defaultOutboundAccess': true,
  'pnsg.firstRange': true,
  'pnsg.sourcePortAny': false,
  'mi.peeredCountsAsSame': true,
  'mi.defaultConnectionType': 'Proxy',
};

const PE_2020: Switches = {
  ...PREVIEW_2022,
  'pnsg.supported': false,
  'pnsg.firstRange': false,
  'pe.routeTablePolicies': false,
  'adf.publicOutbound': 'https',
};

const INTERFACE_ENDPOINT_2018: Switches = { ...PE_2020, 'pe.peeredRefused': true };

export const PROFILE_SWITCHES: Readonly<Record<ProfileName, Switches>> = {
  'ga-2026': GA_2026,
  'preview-2022': PREVIEW_2022,
  'pe-2020': PE_2020,
  'interface-endpoint-2018': INTERFACE_ENDPOINT_2018,
};

/** The behaviour in force: a profile with single switches set over it. */
export interface Behaviour {
  readonly profile: ProfileName;
  readonly switches: Switches;
}

/** The behaviour of a profile with overrides; unknown names are the caller's to refuse. */
export function behaviourOf(profile: ProfileName = 'ga-2026', overrides: Partial<Switches> = {}): Behaviour {
  return { profile, switches: { ...PROFILE_SWITCHES[profile], ...overrides } };
}
