// The provider side of a private endpoint: a backend such as SQL Managed Instance on 1433. It lives behind the fabric
// of the provider, so it never asks for a MAC address and listens only on what it serves.
import type { GuestPort } from './guest.ts';
import { Host, type HostOptions } from './host.ts';

export type ServiceOptions = Omit<HostOptions, 'addresses' | 'arp' | 'gateway' | 'prefix' | 'listen' | 'anyAddress'> & {
  readonly backendAddress: number;
  /** Ports that are served. */
  readonly ports: readonly number[];
};

export class Service extends Host {
  constructor(port: GuestPort, options: ServiceOptions) {
    const { backendAddress, ports, ...rest } = options;
    super(port, { ...rest, addresses: [backendAddress], arp: false, listen: ports });
  }
}
