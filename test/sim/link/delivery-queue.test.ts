import fc from 'fast-check';
import { expect, test } from 'vitest';
import { instant } from '../../../protocol/base/units.ts';
import { DeliveryQueue } from '../../../sim/link/delivery-queue.ts';

/** Reference implementation: a sorted array. */
class SortedArray {
  readonly #entries: { at: number; order: number; item: number }[] = [];
  #order = 0;

  get length(): number {
    return this.#entries.length;
  }

  get nextAt(): number | undefined {
    return this.#entries[0]?.at;
  }

  push(at: number, item: number): void {
    this.#entries.push({ at, order: this.#order++, item });
    this.#entries.sort((a, b) => a.at - b.at || a.order - b.order);
  }

  pop(now: number): number | undefined {
    return this.nextAt !== undefined && this.nextAt <= now ? this.#entries.shift()?.item : undefined;
  }
}

test('behaves like a sorted array', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('push' as const), at: fc.integer({ min: 0, max: 20 }) }),
    fc.record({ kind: fc.constant('pop' as const), at: fc.integer({ min: 0, max: 25 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const queue = new DeliveryQueue<number>();
      const model = new SortedArray();
      for (const [item, { kind, at }] of steps.entries()) {
        if (kind === 'push') {
          queue.push(instant(at), item);
          model.push(at, item);
        } else expect(queue.pop(instant(at))).toBe(model.pop(at));
        expect(queue.length).toBe(model.length);
        expect(queue.nextAt).toBe(model.nextAt);
      }
    }),
  );
});

test('a growing queue stays ordered when items overtake', () => {
  const queue = new DeliveryQueue<number>();
  const out: (number | undefined)[] = [];
  for (let at = 0; at < 200; at++) {
    queue.push(instant(at), at);
    // Every tenth item is overtaken by one due half a unit earlier.
    if (at % 10 === 0) queue.push(instant(at - 0.5), at - 0.5);
    if (at % 3 === 0) out.push(queue.pop(instant(at)));
  }
  while (queue.length > 0) out.push(queue.pop(instant(200)));
  expect(out).toHaveLength(220);
  expect(out).toEqual(out.toSorted((one, other) => one! - other!));
});

test('items due at the same time keep their insertion order', () => {
  const queue = new DeliveryQueue<number>();
  for (let item = 0; item < 100; item++) queue.push(instant(5), item);
  expect(queue.pop(instant(4))).toBeUndefined();
  expect(Array.from({ length: 100 }, () => queue.pop(instant(5)))).toEqual(
    Array.from({ length: 100 }, (_, item) => item),
  );
});
