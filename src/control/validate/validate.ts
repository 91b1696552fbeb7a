// Validation of a whole network: every rule of Azure that refuses a configuration, and warnings for what Azure accepts
// but surely is not meant. Reports all problems at once and never throws, whatever the texts in the network are.

import type { Issue } from '../issues.ts';
import type { Behaviour } from '../model/profile.ts';
import type { Network } from '../model/resources.ts';
import { checkAddressUse } from './address-use.ts';
import { makeContext } from './context.ts';
import { checkDns } from './dns.ts';
import { checkInterfaces } from './interfaces.ts';
import { checkLoadBalancing } from './load-balancing.ts';
import { checkManagedInstances } from './managed-instances.ts';
import { checkNetworkManager } from './network-manager.ts';
import { checkOutbound } from './outbound.ts';
import { checkPeerings } from './peerings.ts';
import { checkPrivateEndpoints } from './private-endpoints.ts';
import { checkReferences } from './references.ts';
import { checkRouteTables } from './routes.ts';
import { checkApplicationGroups, checkSecurityGroups } from './security-groups.ts';
import { checkServices } from './services.ts';
import { checkVirtualNetworks } from './virtual-networks.ts';

export { VALIDATE_ISSUE_CODES, type ValidateIssueCode } from './codes.ts';

/**
 * All problems of a network under a behaviour, in the order of the network's parts. Errors mean that Azure refuses the
 * configuration (or that it cannot be emulated); warnings that it probably is not what was meant. A rule that an export
 * marks `provisioningState: Succeeded` has been accepted by Azure, so what is odd about it is a warning.
 */
export function validateNetwork(network: Network, behaviour: Behaviour): Issue[] {
  const issues: Issue[] = [];
  const context = makeContext(network, behaviour, issues);
  checkVirtualNetworks(context);
  checkPeerings(context);
  checkInterfaces(context);
  checkAddressUse(context);
  checkSecurityGroups(context);
  checkApplicationGroups(context);
  checkRouteTables(context);
  checkOutbound(context);
  checkPrivateEndpoints(context);
  checkManagedInstances(context);
  checkLoadBalancing(context);
  checkDns(context);
  checkServices(context);
  checkNetworkManager(context);
  checkReferences(context);
  return issues;
}
