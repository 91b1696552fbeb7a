// Kind `validate`: is a configuration accepted? Each shape of input is a small network that is read and validated.

import { judgeExpect } from '../kind.ts';
import type { Kind } from '../kind.ts';
import { runShapes } from '../shape.ts';
import { addressSpaces, dynamicAddresses, staticAddresses, subnetLengths } from './validate/addresses.ts';
import { dnsLimits } from './validate/dns.ts';
import { privateLinkServiceLimits } from './validate/private-link-service.ts';
import { factors, priorities, rulePairs, rulePrefixCounts } from './validate/rules.ts';
import {
  approvalMethod,
  delegatedSubnet,
  interfaceEndpointSubnets,
  managedInstanceSubnets,
  regions,
} from './validate/services.ts';
import { samePrefixRoutes } from './validate/tag-routes.ts';

const SHAPES = [
  staticAddresses,
  dynamicAddresses,
  addressSpaces,
  subnetLengths,
  priorities,
  rulePairs,
  rulePrefixCounts,
  factors,
  samePrefixRoutes,
  delegatedSubnet,
  approvalMethod,
  regions,
  managedInstanceSubnets,
  interfaceEndpointSubnets,
  ...privateLinkServiceLimits,
  ...dnsLimits,
];

export const validate: Kind = { run: (input) => runShapes(SHAPES, input), judge: judgeExpect() };
