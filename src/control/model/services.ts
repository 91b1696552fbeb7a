// What stands behind private endpoints beyond addresses and ports: SQL instances, data factories; and flow logs.

import type { ChildResource, Reference, ResourceBase } from './base.ts';

/** How a SQL gateway behaves (SQLMI); what `Default` means is the switch `mi.defaultConnectionType`. */
export interface SqlSettings {
  /** `zone1` of `mi1.zone1.database.windows.net`; undefined for SQL Database. */
  readonly dnsZone?: string;
  readonly proxyOverride: 'Proxy' | 'Redirect' | 'Default';
  readonly publicDataEndpointEnabled: boolean;
  /** NICs that the reader made in the instance's subnet: its gateway first, then its node (SQLMI-1, SQLMI-26). */
  readonly interfaces: readonly Reference[];
}

/** A sub-resource of a service that differs from the others (PE-8): a storage account's blob and file. */
export interface SubResource {
  readonly groupId: string;
  readonly hostNames: readonly string[];
  readonly ports: readonly string[];
  readonly backendAddress: string;
}

/** A data factory with a managed virtual network (ADF); the reader makes that network and its integration runtime. */
export interface DataFactory extends ResourceBase {
  readonly properties: {
    readonly managedVirtualNetwork: Reference;
    /** NIC of the integration runtime, named like the factory. */
    readonly integrationRuntime: Reference;
    readonly managedPrivateEndpoints: readonly Reference[];
  };
}

/** A network manager with the networks that its security admin configuration is deployed to (NSG-15). */
export interface NetworkManager extends ResourceBase {
  readonly properties: { readonly virtualNetworks: readonly Reference[] };
}

/** One rule of a security admin configuration, applied to networks (NSG-15). */
export interface SecurityAdminRule extends ChildResource {
  readonly properties: {
    readonly networkManager: Reference;
    readonly virtualNetworks: readonly Reference[];
    readonly priority: number;
    readonly direction: 'Inbound' | 'Outbound';
    readonly access: 'Allow' | 'AlwaysAllow' | 'Deny';
    readonly protocol: 'Tcp' | 'Udp' | 'Icmp' | 'Esp' | 'Ah' | '*';
    readonly sourceAddressPrefixes: readonly string[];
    readonly destinationAddressPrefixes: readonly string[];
    readonly sourcePortRanges: readonly string[];
    readonly destinationPortRanges: readonly string[];
  };
}
