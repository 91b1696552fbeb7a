// Kind `wire`: properties of frames and connections. Each shape of input is a small experiment in the real emulator.

import { includesValue } from '../compare.ts';
import { judgeExpect } from '../kind.ts';
import type { Kind } from '../kind.ts';
import { runShapes } from '../shape.ts';
import { arpRequests } from './wire/arp.ts';
import { fragments } from './wire/fragments.ts';
import { receivedTtl, silentGateway, tracePath } from './wire/ttl.ts';
import { subResource } from './wire/sub-resource.ts';

const SHAPES = [arpRequests, receivedTtl, tracePath, silentGateway, fragments, subResource];

export const wire: Kind = {
  run: (input) => runShapes(SHAPES, input),
  judge: judgeExpect({ delivered: includesValue, dropped: includesValue }),
};
