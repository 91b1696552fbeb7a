// Load balancers and Private Link services (LB, PLS). References to frontends, pools and probes are their ids.

import type { ChildResource, Reference, ResourceBase } from './base.ts';

export interface FrontendIPConfiguration extends ChildResource {
  readonly properties: {
    /** Internal frontend; allocated by the reader when the input leaves it open. */
    readonly privateIPAddress?: string;
    readonly subnet?: Reference;
    readonly publicIPAddress?: Reference;
  };
}

export interface BackendAddressPool extends ChildResource {
  readonly properties: {
    /** IP configurations of NICs, merged from both ends of the link. */
    readonly backendIPConfigurations: readonly Reference[];
    /** LB-8: exceptions from None. */
    readonly adminStates: readonly { readonly backendIPConfiguration: Reference; readonly adminState: 'Up' | 'Down' }[];
    /** PLS-5: an IP-based pool cannot stand behind a Private Link service. */
    readonly isIpBased: boolean;
  };
}

export interface LoadBalancingRule extends ChildResource {
  readonly properties: {
    readonly frontendIPConfiguration: Reference;
    readonly backendAddressPool: Reference;
    readonly probe?: Reference;
    /** `All` with ports 0: HA ports (LB-7). */
    readonly protocol: 'Tcp' | 'Udp' | 'All';
    readonly frontendPort: number;
    readonly backendPort: number;
    readonly loadDistribution: 'Default' | 'SourceIP' | 'SourceIPProtocol';
    readonly idleTimeoutInMinutes: number;
    readonly enableTcpReset: boolean;
    readonly enableFloatingIP: boolean;
    readonly disableOutboundSnat: boolean;
  };
}

export interface InboundNatRule extends ChildResource {
  readonly properties: {
    readonly frontendIPConfiguration: Reference;
    /** One NIC, or a pool with a range of frontend ports (PLS-21). */
    readonly backendIPConfiguration?: Reference;
    readonly backendAddressPool?: Reference;
    readonly protocol: 'Tcp' | 'Udp' | 'All';
    readonly frontendPort: number;
    readonly backendPort: number;
    readonly idleTimeoutInMinutes: number;
    readonly enableTcpReset: boolean;
  };
}

export interface OutboundRule extends ChildResource {
  readonly properties: {
    readonly frontendIPConfigurations: readonly Reference[];
    readonly backendAddressPool: Reference;
    readonly protocol: 'Tcp' | 'Udp' | 'All';
    readonly idleTimeoutInMinutes: number;
    readonly enableTcpReset: boolean;
  };
}

export interface Probe extends ChildResource {
  readonly properties: {
    readonly protocol: 'Tcp' | 'Http' | 'Https';
    readonly port: number;
    readonly requestPath?: string;
    readonly intervalInSeconds: number;
    readonly numberOfProbes: number;
  };
}

export interface LoadBalancer extends ResourceBase {
  readonly sku: 'Standard' | 'Basic';
  readonly properties: {
    readonly frontendIPConfigurations: readonly FrontendIPConfiguration[];
    readonly backendAddressPools: readonly BackendAddressPool[];
    readonly loadBalancingRules: readonly LoadBalancingRule[];
    readonly inboundNatRules: readonly InboundNatRule[];
    readonly outboundRules: readonly OutboundRule[];
    readonly probes: readonly Probe[];
  };
}

export interface PrivateLinkService extends ResourceBase {
  readonly properties: {
    /** PLS-2; made by the reader when the input has none. */
    readonly alias: string;
    readonly enableProxyProtocol: boolean;
    /** PLS-3: empty: role-based only; `*`: anyone with the alias. */
    readonly visibility: readonly string[];
    readonly autoApproval: readonly string[];
    readonly fqdns: readonly string[];
    readonly loadBalancerFrontendIpConfigurations: readonly Reference[];
    /** NAT addresses (PLS-8, PLS-9). */
    readonly ipConfigurations: readonly {
      readonly name: string;
      readonly properties: { readonly privateIPAddress: string; readonly subnet: Reference; readonly primary: boolean };
    }[];
    /** Direct Connect (PLS-22). */
    readonly destinationIPAddress?: string;
  };
}

/** What the probes found out (LB-4): a member that is not listed is healthy. Emulator's own, set by the prober. */
export interface UnhealthyBackend {
  readonly probe: Reference;
  readonly backendIPConfiguration: Reference;
}
