import { earliest, type Instant, instant } from '../../protocol/base/units.ts';

/**
 * Items to deliver, ordered by time; items due at the same time keep their insertion order.
 *
 * Without jitter, items are inserted in time order and stay in a ring buffer. An item that must overtake goes into a
 * binary heap next to the ring. Each item has a mark, a small integer that is returned with it.
 */
export class DeliveryQueue<T> {
  readonly #ring = new SortedRing<T>();
  readonly #heap: { at: Instant; order: number; item: T; mark: number }[] = [];
  #order = 0;
  /** Mark of the item that was removed last. */
  mark = 0;

  get length(): number {
    return this.#ring.length + this.#heap.length;
  }

  get nextAt(): Instant | undefined {
    const heapTop = this.#heap[0];
    if (this.#ring.length === 0) return heapTop?.at;
    return heapTop === undefined ? this.#ring.firstAt : earliest(this.#ring.firstAt, heapTop.at);
  }

  push(at: Instant, item: T, mark = 0): void {
    const order = this.#order++;
    if (this.#ring.length === 0 || at >= this.#ring.lastAt) this.#ring.push(at, order, item, mark);
    else this.#siftUp({ at, order, item, mark });
  }

  /** Removes and returns the earliest item due at or before `now`. */
  pop(now: Instant): T | undefined {
    const ring = this.#ring;
    const top = this.#heap[0];
    if (top !== undefined && (ring.length === 0 || isBefore(top, ring.firstAt, ring.firstOrder))) {
      return top.at > now ? undefined : this.#popHeap();
    }
    if (ring.length === 0 || ring.firstAt > now) return undefined;
    this.mark = ring.firstMark;
    return ring.shift();
  }

  #popHeap(): T {
    const heap = this.#heap;
    const top = heap[0]!;
    const last = heap.pop()!;
    this.mark = top.mark;
    if (heap.length > 0) this.#siftDown(last);
    return top.item;
  }

  #siftUp(entry: { at: Instant; order: number; item: T; mark: number }): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(entry, heap[parent]!.at, heap[parent]!.order)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = entry;
  }

  #siftDown(entry: { at: Instant; order: number; item: T; mark: number }): void {
    const heap = this.#heap;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      const other = heap[child + 1];
      if (other !== undefined && isBefore(other, heap[child]!.at, heap[child]!.order)) child++;
      if (!isBefore(heap[child]!, entry.at, entry.order)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = entry;
  }
}

const isBefore = (one: { at: Instant; order: number }, at: Instant, order: number): boolean =>
  one.at < at || (one.at === at && one.order < order);

/**
 * A growing ring buffer, sorted by time. Four parallel arrays, because one object per item is expensive to allocate
 * and collect.
 */
class SortedRing<T> {
  #times = new Float64Array(16);
  #orders = new Float64Array(16);
  #marks = new Uint32Array(16);
  #items: (T | undefined)[] = new Array(16).fill(undefined);
  #first = 0;
  length = 0;
  /** Delivery time of the item inserted last, whether or not it is still queued. */
  lastAt: Instant = instant(0);

  get firstAt(): Instant {
    return instant(this.#times[this.#first]!);
  }

  get firstOrder(): number {
    return this.#orders[this.#first]!;
  }

  get firstMark(): number {
    return this.#marks[this.#first]!;
  }

  push(at: Instant, order: number, item: T, mark: number): void {
    if (this.length === this.#items.length) this.#grow();
    const place = (this.#first + this.length) & (this.#items.length - 1);
    this.#times[place] = at;
    this.#orders[place] = order;
    this.#marks[place] = mark;
    this.#items[place] = item;
    this.length++;
    this.lastAt = at;
  }

  shift(): T {
    const item = this.#items[this.#first]!;
    this.#items[this.#first] = undefined;
    this.#first = (this.#first + 1) & (this.#items.length - 1);
    this.length--;
    return item;
  }

  #grow(): void {
    const { length } = this;
    const places = Array.from({ length }, (_, index) => (this.#first + index) & (length - 1));
    const times = new Float64Array(2 * length);
    const orders = new Float64Array(2 * length);
    const marks = new Uint32Array(2 * length);
    for (const [index, place] of places.entries()) {
      times[index] = this.#times[place]!;
      orders[index] = this.#orders[place]!;
      marks[index] = this.#marks[place]!;
    }
    this.#items = [...places.map((place) => this.#items[place]), ...new Array<undefined>(length).fill(undefined)];
    this.#times = times;
    this.#orders = orders;
    this.#marks = marks;
    this.#first = 0;
  }
}
