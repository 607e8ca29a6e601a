import { expect, test } from 'vitest';
import { instant, microseconds, milliseconds, seconds } from '../../../protocol/base/units.ts';
import { at, dropData, Pair } from './pair.ts';

const SEGMENT = 1_448;
const READ_DELAY = 500;

/** The first acknowledgments of a connection are not delayed; these bursts use them up. */
const BURSTS = 8;
const LAST_AT = at(100) + BURSTS * at(60);

/** A burst of segments every 60 ms; the last one starts at `LAST_AT`. */
function bursts(pair: Pair, segments: number): Pair {
  const bytes = segments * SEGMENT;
  for (let burst = 0; burst <= BURSTS; burst++) pair.write(instant(at(100) + burst * at(60)), bytes, burst * bytes);
  return pair.run(instant(seconds(2)));
}

/** Times of the receiver's segments after the last burst, relative to its arrival. */
const answers = (pair: Pair) =>
  pair.sights
    .filter(({ direction, at: when }) => direction === 'back' && when > LAST_AT)
    .map(({ at: when }) => when - (LAST_AT + at(25)));

test('a burst read at once gets one acknowledgment, at the read', () => {
  expect(answers(bursts(new Pair(), 5)).length).toBeGreaterThan(1);
  const later = bursts(new Pair({ receiver: { readDelay: microseconds(READ_DELAY) } }), 5);
  expect(answers(later)).toEqual([READ_DELAY]);
  expect(later.arrivalOf(5 * SEGMENT * (BURSTS + 1) - 1)).toBe(LAST_AT + at(25) + READ_DELAY);
});

test('a single segment that ends a burst is acknowledged by the read, another one after the delay', () => {
  const first = BURSTS * 6;
  // Only the first of the six segments arrives, which does not end the burst.
  const lost = dropData(first + 1, first + 2, first + 3, first + 4, first + 5);
  const receiver = { readDelay: microseconds(READ_DELAY) };
  const [answer] = answers(bursts(new Pair({ receiver, forward: lost }), 6));
  expect(answer).toBeGreaterThan(at(30));
  const marked = answers(
    bursts(
      new Pair({ receiver, sender: { marksBursts: true }, forward: dropData(first + 3, first + 4, first + 5) }),
      6,
    ),
  );
  expect(marked[0]).toBe(READ_DELAY);
});

test('with marksBursts, the last segment of a burst carries PSH', () => {
  const PUSH = 8;
  const pushed = (marksBursts: boolean) => {
    const pair = new Pair({ sender: { marksBursts } }).write(at(100), 6 * SEGMENT).run(instant(milliseconds(140)));
    return pair.data().map(({ segment }) => (segment.flags & PUSH) !== 0);
  };
  expect(pushed(false)).toEqual([false, false, false, false, false, true]);
  const marks = pushed(true);
  expect(marks.filter(Boolean).length).toBeGreaterThan(1);
  expect(marks.at(-1)).toBe(true);
});
