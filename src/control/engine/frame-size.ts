// How large the frame slots of an engine must be for a network: guests with a larger MTU need jumbo slots (WIRE-13).

import { HEADROOM_BYTES, MTU_DEFAULT, SLOT_BYTES_DEFAULT, SLOT_BYTES_JUMBO } from '../../abi/limits.ts';
import type { Network } from '../model/resources.ts';

/** Bytes of a frame slot that every frame of the network's guests fits. */
export function slotBytesFor(network: Network): number {
  const isJumbo = network.networkInterfaces.some((nic) => (nic.properties.mtu ?? MTU_DEFAULT) > MTU_DEFAULT);
  return isJumbo ? SLOT_BYTES_JUMBO : SLOT_BYTES_DEFAULT;
}

/** Bytes of the longest frame that fits such a slot (two bytes align the IPv4 header). */
export function frameBytesMaxFor(network: Network): number {
  return slotBytesFor(network) - HEADROOM_BYTES - 2;
}
