// Private DNS: zones, links, zone groups, resolvers, and the public name space that the emulator is told (DNS).

import type { ChildResource, Reference, ResourceBase } from './base.ts';

export type DnsRecordType = 'A' | 'AAAA' | 'CNAME' | 'TXT' | 'PTR' | 'MX' | 'SRV' | 'SOA';

export interface DnsRecordSet extends ChildResource {
  /** Relative name: `@` for the zone itself, `*` for any (DNS-2). */
  readonly properties: { readonly type: DnsRecordType; readonly ttl: number; readonly values: readonly string[] };
}

export interface VirtualNetworkLink extends ChildResource {
  readonly properties: {
    readonly virtualNetwork: Reference;
    readonly registrationEnabled: boolean;
    readonly resolutionPolicy: 'Default' | 'NxDomainRedirect';
  };
}

export interface PrivateDnsZone extends ResourceBase {
  readonly properties: {
    readonly recordSets: readonly DnsRecordSet[];
    readonly virtualNetworkLinks: readonly VirtualNetworkLink[];
  };
}

/** Of one private endpoint (DNS-20); its records are computed, never stored in the zone. */
export interface PrivateDnsZoneGroup extends ChildResource {
  readonly properties: { readonly privateEndpoint: Reference; readonly privateDnsZones: readonly Reference[] };
}

export interface DnsForwardingRuleset extends ResourceBase {
  readonly properties: {
    readonly forwardingRules: readonly {
      readonly name: string;
      readonly domainName: string;
      readonly targetDnsServers: readonly string[];
      readonly isEnabled: boolean;
    }[];
    readonly virtualNetworks: readonly Reference[];
    /** NIC of the outbound endpoint that sends. */
    readonly outboundEndpoint?: Reference;
  };
}

/** A guest that answers DNS on port 53 (DNS-15, DNS-16, DNS-18): a server on a VM, a firewall, an inbound endpoint. */
export interface DnsServer {
  readonly nic: Reference;
  /** `azure`: 168.63.129.16 as its own network sees it; `root`: the public name space; else addresses of servers. */
  readonly forward: 'azure' | 'root' | readonly string[];
  /** Conditional forwarders: suffix to targets, before `forward`. */
  readonly conditional: readonly { readonly suffix: string; readonly forward: 'azure' | 'root' | readonly string[] }[];
  /** Records that it knows itself, by full name. */
  readonly records: readonly {
    readonly name: string;
    readonly type: DnsRecordType;
    readonly values: readonly string[];
  }[];
}

/** A record of the public name space, by full name; what services imply (DNS-8) is computed. */
export interface PublicDnsRecord {
  readonly name: string;
  readonly type: DnsRecordType;
  readonly values: readonly string[];
}
