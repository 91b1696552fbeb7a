// An exact-match map from (network, address) to a small integer, built once per program. Open addressing over Int32.

export class AddressMap {
  /** network + 1, address, value; 0 in the first word is free. */
  private readonly slots: Int32Array;
  private readonly mask: number;

  constructor(entries: number) {
    let size = 16;
    while (size < entries * 3) size *= 2;
    this.slots = new Int32Array(size * 4);
    this.mask = size - 1;
  }

  set(network: number, address: number, value: number): void {
    const { slots, mask } = this;
    let i = hash(network, address) & mask;
    while (slots[i * 4] !== 0 && (slots[i * 4] !== network + 1 || slots[i * 4 + 1] !== address)) i = (i + 1) & mask;
    slots[i * 4] = network + 1;
    slots[i * 4 + 1] = address;
    slots[i * 4 + 2] = value;
  }

  /** The value, or -1. */
  get(network: number, address: number): number {
    const { slots, mask } = this;
    for (let i = hash(network, address) & mask; slots[i * 4] !== 0; i = (i + 1) & mask) {
      if (slots[i * 4] === network + 1 && slots[i * 4 + 1] === address) return slots[i * 4 + 2];
    }
    return -1;
  }
}

function hash(network: number, address: number): number {
  const h = Math.imul(address ^ (address >>> 16) ^ Math.imul(network, 0x85ebca77), 0x9e3779b1);
  return (h ^ (h >>> 15)) >>> 0;
}
