// A small seeded generator (xorshift, 32 bits): the same seed gives the same benchmark on every machine.

export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed | 0 || 0x9e3779b9;
  }

  /** 0 to 2^32 - 1. */
  next(): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x;
    return x >>> 0;
  }

  /** 0 to limit - 1. */
  below(limit: number): number {
    return this.next() % limit;
  }
}
