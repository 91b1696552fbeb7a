// What becomes of static names when the object behind them goes: like a record in a DNS zone, the name stays and leads
// to the address that the object had.

import { idKey, type Network, type StaticName } from '../model/resources.ts';

export function keepStaticNames(network: Network, removedId: string, address: string): readonly StaticName[] {
  return network.staticNames.map((entry) =>
    idKey(entry.target) === idKey(removedId) ? { ...entry, target: address } : entry,
  );
}
