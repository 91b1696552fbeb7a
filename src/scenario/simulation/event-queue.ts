// Events of virtual time in a binary heap ordered by (time, sequence number). The sequence number is given when an
// event is added, so that events of one instant happen in the order in which they were caused.

/** Something that will happen: a frame reaching its place, or a timer. */
export interface TimedEvent {
  /** Virtual time, nanoseconds. */
  readonly timeNs: number;
  /** Ascending in the order of adding; decides between events of one instant. */
  readonly sequence: number;
}

export class EventQueue<Event extends TimedEvent> {
  readonly #heap: Event[] = [];

  get size(): number {
    return this.#heap.length;
  }

  /** The earliest event, still queued. */
  peek(): Event | undefined {
    return this.#heap[0];
  }

  add(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Event;
      if (!isBefore(event, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
  }

  /** Removes and returns the earliest event. */
  take(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || first === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Event, heap[child] as Event)) child++;
      const below = heap[child] as Event;
      if (!isBefore(below, last)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

/** The order of events: by time, then as they were caused. */
export function isBefore(a: TimedEvent, b: TimedEvent): boolean {
  return a.timeNs < b.timeNs || (a.timeNs === b.timeNs && a.sequence < b.sequence);
}
