// Control-plane changes as pure functions: each makes a `Change`, and a change makes a new network from a network.
// A change is refused with an InputError when it names something unknown or when the state machines forbid it; whether
// the network still makes sense afterwards is for validation. Names and ids are compared without regard to case.

export type { Change } from './lookup.ts';
export { type ShortRule, shortRule } from './short-rule.ts';
export type { ShortRoute } from './route-changes.ts';
export type { PeeringFlags } from './peering-changes.ts';
export type { Decision } from './endpoint-changes.ts';
export {
  associateNsg,
  removeSecurityRule,
  setFlushConnection,
  setSecurityRule,
  setSecurityRules,
} from './security-changes.ts';
export { associateRouteTable, removeRoute, setRoute, setRoutes } from './route-changes.ts';
export { addPeering, removePeering, setPeering } from './peering-changes.ts';
export {
  approve,
  deleteEndpoint,
  deleteTarget,
  reject,
  removeConnection,
  setEndpointState,
} from './endpoint-changes.ts';
export { createEndpoint, createManagedEndpoint } from './endpoint-creation.ts';
export { setAdminState, setHighScale, setProxyProtocol, setVisibility } from './balance-changes.ts';
export {
  removeNic,
  setEndpointPolicies,
  setIpForwarding,
  setNicTag,
  setServiceEndpoints,
} from './placement-changes.ts';
