import { afterEach, expect, test } from 'vitest';
import { now } from '../../../io/os/clock.ts';
import { FineWakeUp } from '../../../io/os/fine-wake-up.ts';
import { type Instant, instant, later, milliseconds, seconds } from '../../../protocol/base/units.ts';

let wakeUp: FineWakeUp | undefined;
afterEach(() => wakeUp?.close());

/** Returns the times of the first rings; each ring sets the next of `times`. */
async function ringsFor(times: readonly Instant[]): Promise<Instant[]> {
  const rings: Instant[] = [];
  await new Promise<void>((resolve) => {
    const open = FineWakeUp.open(() => {
      const at = now();
      // Spurious calls are possible.
      if (at < (times[rings.length] as Instant)) return wakeUp?.set(times[rings.length]);
      rings.push(at);
      if (rings.length === times.length) resolve();
      else wakeUp?.set(times[rings.length]);
    });
    void open.then((opened) => {
      wakeUp = opened;
      opened.set(times[0]);
    });
  });
  return rings;
}

test('rings repeatedly, never before its time', async () => {
  const start = now() + 100_000;
  const times = Array.from({ length: 50 }, (_, n) => instant(start + n * 700));

  const rings = await ringsFor(times);

  for (const [n, ring] of rings.entries()) expect(ring).toBeGreaterThanOrEqual(times[n] as Instant);
});

test('rings for a time in the past', async () => {
  expect(await ringsFor([instant(0), instant(1)])).toHaveLength(2);
});

test('replaces a later time by an earlier one', async () => {
  const ring = await new Promise<'rung'>((resolve) => {
    void FineWakeUp.open(() => resolve('rung')).then((opened) => {
      wakeUp = opened;
      opened.set(later(now(), seconds(3_600)));
      opened.set(later(now(), milliseconds(1)));
    });
  });
  expect(ring).toBe('rung');
});
