import type { Instant } from '../protocol/instant.ts';

/** A binary heap of things to deliver, ordered by time and, at the same time, by the order they were put in. */
export class DeliveryQueue<T> {
  readonly #heap: { at: Instant; order: number; item: T }[] = [];
  #order = 0;

  get length(): number {
    return this.#heap.length;
  }

  get nextAt(): Instant | undefined {
    return this.#heap[0]?.at;
  }

  push(at: Instant, item: T): void {
    const heap = this.#heap;
    const entry = { at, order: this.#order++, item };
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!before(entry, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = entry;
  }

  /** The earliest item due at or before `now`. */
  pop(now: Instant): T | undefined {
    const heap = this.#heap;
    const top = heap[0];
    if (!top || top.at > now) return undefined;
    const last = heap.pop()!;
    if (heap.length > 0) this.#sink(last);
    return top.item;
  }

  #sink(entry: { at: Instant; order: number; item: T }): void {
    const heap = this.#heap;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, entry)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = entry;
  }
}

function before(a: { at: Instant; order: number }, b: { at: Instant; order: number }): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
