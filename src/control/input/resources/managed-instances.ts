// SQL Managed Instances stand in their subnet like machines (SQLMI-2): NICs for gateway and node, made before addresses
// are given out; a public endpoint gets its public address (SQLMI-3).

import type { Network } from '../../model/resources.ts';
import { isManagedInstance } from '../../sql/instances.ts';
import { withInstanceInterfaces } from '../../sql/instance-interfaces.ts';

/** The network with the NICs of its instances; `sql.interfaces` names them. */
export function withManagedInstances(network: Network): Network {
  return network.privateLinkResources.filter(isManagedInstance).reduce(withInstanceInterfaces, network);
}
