// The link between a guest and the fabric, impaired in the words of Linux tc netem. Every decision is a hash of the
// seed, the attachment, the packet id, the direction and its purpose: the same run always loses the same packets.

import { bitRate, durationNs, probability } from '../format/quantities.ts';
import { draw, fraction, PURPOSE } from './random.ts';
import type { LinkSettings } from './simulation-api.ts';

/** Delay of a link without settings. */
export const LINK_DELAY_NS = 50_000;

/** Ethernet frame of a full packet. */
const FRAME_BYTES_USUAL = 1514;

/** Towards the fabric, or towards the guest. */
export const DIRECTION = { toFabric: 0, toGuest: 1 } as const;
export type Direction = (typeof DIRECTION)[keyof typeof DIRECTION];

/** Link settings in the words of scenario files. */
export interface WrittenLinkSettings {
  readonly delay?: string | undefined;
  readonly jitter?: string | undefined;
  readonly loss?: string | number | undefined;
  readonly duplicate?: string | number | undefined;
  readonly reorder?: string | number | undefined;
  readonly rate?: string | undefined;
}

/** One attachment's link, both directions. */
export interface Link {
  readonly settings: LinkSettings;
  /** When each direction has finished sending what it was given (rate). */
  readonly busyUntilNs: [number, number];
}

/** Settings as scenarios write them (`delay: 1ms`, `loss: 1%`) in base units. */
export function linkSettingsOf(written: WrittenLinkSettings): LinkSettings {
  const { delay, jitter, loss, duplicate, reorder, rate } = written;
  return {
    ...(delay === undefined ? {} : { delayNs: durationNs(delay) }),
    ...(jitter === undefined ? {} : { jitterNs: durationNs(jitter) }),
    ...(loss === undefined ? {} : { loss: probability(loss) }),
    ...(duplicate === undefined ? {} : { duplicate: probability(duplicate) }),
    ...(reorder === undefined ? {} : { reorder: probability(reorder) }),
    ...(rate === undefined ? {} : { rate: bitRate(rate) }),
  };
}

/** A link that nothing has crossed yet. */
export function createLink(settings: LinkSettings): Link {
  return { settings, busyUntilNs: [0, 0] };
}

/** The shortest time a frame can take over the link: what look-ahead may count on. */
export function smallestDelayNs(settings: LinkSettings): number {
  if ((settings.reorder ?? 0) > 0) return 0;
  return Math.max(0, (settings.delayNs ?? LINK_DELAY_NS) - (settings.jitterNs ?? 0));
}

/** The longest that a frame given to the link at `nowNs` can take, either way. */
export function largestDelayNs(link: Link, nowNs: number): number {
  const { delayNs, jitterNs, rate } = link.settings;
  const waitNs = Math.max(0, ...link.busyUntilNs.map((busyNs) => busyNs - nowNs));
  const sendNs = rate === undefined ? 0 : Math.ceil((FRAME_BYTES_USUAL * 8 * 1e9) / rate);
  return waitNs + sendNs + (delayNs ?? LINK_DELAY_NS) + (jitterNs ?? 0);
}

/** How many copies of a frame the link lets through: 0 lost, 1, or 2 duplicated. As netem, loss takes one copy. */
export function copiesOf(settings: LinkSettings, seed: number, attachment: number, id: number, way: Direction): number {
  let copies = 1;
  if (happens(settings.duplicate, draw(seed, attachment, id, way, PURPOSE.duplicate))) copies++;
  if (happens(settings.loss, draw(seed, attachment, id, way, PURPOSE.loss))) copies--;
  return copies;
}

/** When a frame given to the link at `nowNs` reaches the other end. A reordered frame skips the delay (netem). */
export function arrivalNs(
  link: Link,
  seed: number,
  attachment: number,
  id: number,
  way: Direction,
  nowNs: number,
  lengthBytes: number,
): number {
  const { settings } = link;
  let sentNs = nowNs;
  if (settings.rate !== undefined) {
    sentNs = Math.max(nowNs, link.busyUntilNs[way]) + Math.ceil((lengthBytes * 8 * 1e9) / settings.rate);
    link.busyUntilNs[way] = sentNs;
  }
  if (happens(settings.reorder, draw(seed, attachment, id, way, PURPOSE.reorder))) return sentNs;
  const delayNs = settings.delayNs ?? LINK_DELAY_NS;
  if (settings.jitterNs === undefined || settings.jitterNs === 0) return sentNs + delayNs;
  const spread = 2 * fraction(draw(seed, attachment, id, way, PURPOSE.jitter)) - 1;
  return sentNs + Math.max(0, Math.round(delayNs + spread * settings.jitterNs));
}

function happens(probability: number | undefined, value: number): boolean {
  return probability !== undefined && probability > 0 && fraction(value) < probability;
}
