// Kind `wire`: properties of frames and connections. Each shape of input is a small experiment in the real emulator.

import { includesValue } from '../compare.ts';
import { judgeExpect } from '../kind.ts';
import type { Kind } from '../kind.ts';
import { runShapes } from '../shape.ts';
import { arpRequests } from './wire/arp.ts';
import { dataFactoryShapes } from './wire/data-factory.ts';
import { fragments } from './wire/fragments.ts';
import { loadBalancerShapes } from './wire/load-balancer.ts';
import { privateLinkServiceShapes } from './wire/private-link-service.ts';
import { proxyProtocolShapes } from './wire/proxy-protocol.ts';
import { isWithinRange, sqlShapes } from './wire/sql.ts';
import { receivedTtl, silentGateway, tracePath } from './wire/ttl.ts';
import { subResource } from './wire/sub-resource.ts';

const SHAPES = [
  arpRequests,
  receivedTtl,
  tracePath,
  silentGateway,
  fragments,
  subResource,
  ...loadBalancerShapes,
  ...privateLinkServiceShapes,
  ...proxyProtocolShapes,
  ...sqlShapes,
  ...dataFactoryShapes,
];

export const wire: Kind = {
  run: (input) => runShapes(SHAPES, input),
  judge: judgeExpect({
    delivered: includesValue,
    dropped: includesValue,
    backendSees: includesValue,
    clientSees: includesValue,
    secondPortRange: isWithinRange,
  }),
};
