// Behaviour profiles and switches (azure-semantics 0.3): what Azure did when, and every open question as a named
// switch with its default. A scenario or a command line selects the profile and may set single switches.

export const PROFILES = ['ga-2026', 'preview-2022', 'pe-2020', 'interface-endpoint-2018'] as const;
export type ProfileName = (typeof PROFILES)[number];

export interface Switches {
  /** ROUTE-4: the four extra None routes of the 2026 table. */
  readonly 'routes.extraNone': boolean;
  /** NSG-17: 0.0.0.0/0 of the subnet's route table counts into the VirtualNetwork tag. */
  readonly 'tag.vnetIncludesDefaultRoute': boolean;
  /** NSG-19: the host address 168.63.129.16 counts into the VirtualNetwork tag. */
  readonly 'tag.vnetIncludesHostVip': boolean;
  /** NSG-31: port 53 to configured DNS servers bypasses NSGs. */
  readonly 'nsg.customDnsBypass': boolean;
  /** NSG-35: a flow may only be created by a SYN. */
  readonly 'nsg.requireSyn': boolean;
  /** PE-18: an owner may approve after rejecting. */
  readonly 'pe.approveAfterReject': boolean;
  /** PE-21: rejecting or removing a connection ends its established flows at once. */
  readonly 'pe.revokeKillsFlows': boolean;
  /** WIRE-4: ARP is answered for addresses nobody owns. */
  readonly 'arp.answerUnused': boolean;
  /** NET-16: subnets without an explicit setting in topology.yaml have default outbound access. */
  readonly 'net.defaultOutboundAccess': boolean;
  /** PNSG: network security groups may apply to private endpoints at all. */
  readonly 'pnsg.supported': boolean;
  /** PNSG-10: first-range semantics of rules in front of private endpoints. */
  readonly 'pnsg.firstRange': boolean;
  /** PNSG-5: source ports of rules in front of private endpoints are read as any. */
  readonly 'pnsg.sourcePortAny': boolean;
  /** ROUTE-39: user-defined routes may invalidate the endpoint's /32. */
  readonly 'pe.routeTablePolicies': boolean;
  /** IFE-4: the endpoint refuses traffic from peered networks. */
  readonly 'pe.peeredRefused': boolean;
}

export type SwitchName = keyof Switches;

const GA_2026: Switches = {
  'routes.extraNone': true,
  'tag.vnetIncludesDefaultRoute': true,
  'tag.vnetIncludesHostVip': true,
  'nsg.customDnsBypass': true,
  'nsg.requireSyn': false,
  'pe.approveAfterReject': false,
  'pe.revokeKillsFlows': false,
  'arp.answerUnused': true,
  'net.defaultOutboundAccess': false,
  'pnsg.supported': true,
  'pnsg.firstRange': false,
  'pnsg.sourcePortAny': true,
  'pe.routeTablePolicies': true,
  'pe.peeredRefused': false,
};

const PREVIEW_2022: Switches = {
  ...GA_2026,
  'routes.extraNone': false,
  'pe.approveAfterReject': true,
  'net.defaultOutboundAccess': true,
  'pnsg.firstRange': true,
  'pnsg.sourcePortAny': false,
};

const PE_2020: Switches = {
  ...PREVIEW_2022,
  'pnsg.supported': false,
  'pnsg.firstRange': false,
  'pe.routeTablePolicies': false,
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
