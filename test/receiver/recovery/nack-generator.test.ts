import { describe, expect, test } from 'vitest';
import { type Instant, instant, microseconds, milliseconds } from '../../../protocol/base/units.ts';
import { asSequence, type Sequence } from '../../../protocol/rtp/sequence.ts';
import { NackGenerator } from '../../../receiver/recovery/nack-generator.ts';

const at = (ms: number): Instant => instant(milliseconds(ms));
const ROUND_TRIP = milliseconds(40);
const never = () => undefined;
const TERMS = {
  roundTrip: ROUND_TRIP,
  reordering: microseconds(0),
  deadlineOf: never,
  referenceDeadlines: () => () => instant(Number.NEGATIVE_INFINITY),
};

const newGenerator = (missingMax = 4_096) => new NackGenerator({ reorderWait: milliseconds(3), missingMax });

/** Polls at the requested times, and records the requests. */
function requestsOf(
  generator: NackGenerator,
  untilMs: number,
  deadlineOf: (sequence: Sequence) => Instant | undefined = never,
) {
  const requests: [number, readonly number[]][] = [];
  for (let due = generator.pollTimeout(); due !== undefined && due <= at(untilMs); due = generator.pollTimeout()) {
    const { inTime: sequences } = generator.poll(due, { ...TERMS, deadlineOf });
    if (sequences.length > 0) requests.push([due / 1_000, sequences]);
  }
  return requests;
}

test('a packet without a deadline is requested ever more seldom, down to twice a second', () => {
  const generator = newGenerator();
  generator.onMissing(at(0), asSequence(5));
  const times = requestsOf(generator, 10_000).map(([time]) => time);
  expect(times.slice(-2).map((time, index, [first]) => (index === 0 ? 0 : time - first!))).toEqual([0, 500]);
  expect(times.length).toBeLessThan(30);
});

test('a packet with a deadline is requested once per round trip until then', () => {
  const generator = newGenerator();
  generator.onMissing(at(0), asSequence(5));
  expect(requestsOf(generator, 2_000, () => at(1_000))).toHaveLength(22);
});

test('a gap is requested after the reorder wait, and again a round trip and an eighth later', () => {
  const generator = newGenerator();
  generator.onMissing(at(10), asSequence(5));
  expect(requestsOf(generator, 110)).toEqual([
    [13, [5]],
    [58, [5]],
    [103, [5]],
  ]);
  expect(generator.requests).toBe(3);
  expect(generator.roundsOf(asSequence(5))).toBe(3);
});

test('waits for the observed reordering delay, unless an answer would then be late', () => {
  const askedWith = (deadlineMs: number) => {
    const generator = newGenerator();
    generator.onMissing(at(10), asSequence(5));
    const terms = { ...TERMS, reordering: milliseconds(12), deadlineOf: () => at(deadlineMs) };
    const polled = [13, 16, 19, 22, 25].filter((ms) => generator.poll(at(ms), terms).inTime.length > 0);
    return polled[0];
  };
  expect(askedWith(200)).toBe(22);
  // Forty-five milliseconds before its deadline it must be requested.
  expect(askedWith(62)).toBe(19);
  expect(askedWith(55)).toBe(13);
  expect(askedWith(50)).toBeUndefined();
});

test('does not request a packet that was only reordered', () => {
  const generator = newGenerator();
  generator.onMissing(at(10), asSequence(5));
  generator.onArrival(asSequence(5));
  expect(requestsOf(generator, 500)).toEqual([]);
  expect(generator.missing).toBe(0);
  expect(generator.roundsOf(asSequence(5))).toBe(0);
});

test('an answer ends the requests', () => {
  const generator = newGenerator();
  generator.onMissing(at(10), asSequence(5));
  generator.onMissing(at(10), asSequence(6));
  generator.poll(at(13), TERMS);
  generator.onArrival(asSequence(5));
  expect(requestsOf(generator, 60)).toEqual([[58, [6]]]);
});

describe('in time', () => {
  test('never requests a packet whose answer would be late', () => {
    const generator = newGenerator();
    generator.onMissing(at(10), asSequence(5));
    expect(requestsOf(generator, 900, () => instant(at(13) + ROUND_TRIP))).toEqual([]);
    expect(generator.pollTimeout()).toBeUndefined();
  });

  test('makes the last request that can be answered', () => {
    const generator = newGenerator();
    generator.onMissing(at(10), asSequence(5));
    // Requested at 13 and 58; at 103, an answer would arrive at 143.
    expect(requestsOf(generator, 900, () => at(120)).map(([ms]) => ms)).toEqual([13, 58]);
  });

  test('a packet that is too late does not block others', () => {
    const generator = newGenerator();
    for (const sequence of [5, 6]) generator.onMissing(at(10), asSequence(sequence));
    expect(requestsOf(generator, 30, (sequence) => (sequence === 5 ? at(0) : at(500)))).toEqual([[13, [6]]]);
  });
});

test('requests are at least five milliseconds apart, even on a short path', () => {
  const generator = newGenerator();
  generator.onMissing(at(0), asSequence(1));
  generator.poll(at(3), { ...TERMS, roundTrip: microseconds(100) });
  expect(generator.pollTimeout()).toBe(milliseconds(8));
});

test('assumes a round trip of 50 ms until it is known', () => {
  const generator = newGenerator();
  generator.onMissing(at(0), asSequence(1));
  generator.poll(at(3), { ...TERMS, roundTrip: undefined });
  expect(generator.pollTimeout()).toBe(milliseconds(3 + 56.25));
});

test('forgets decided packets', () => {
  const generator = newGenerator();
  for (const sequence of [5, 6, 7]) generator.onMissing(at(0), asSequence(sequence));
  generator.forgetThrough(asSequence(6));
  expect(requestsOf(generator, 10)).toEqual([[3, [7]]]);
  generator.forgetThrough(asSequence(7));
  expect(generator.pollTimeout()).toBeUndefined();
});

test('requests a packet once that is reported missing twice', () => {
  const generator = newGenerator();
  generator.onMissing(at(0), asSequence(5));
  generator.onMissing(at(2), asSequence(5));
  expect(requestsOf(generator, 10)).toEqual([[3, [5]]]);
});

describe('limits', () => {
  test('of missing packets drop the oldest first', () => {
    const generator = newGenerator(10);
    for (let sequence = 0; sequence < 25; sequence++) generator.onMissing(at(0), asSequence(sequence));
    expect(generator.missing).toBe(10);
    expect(requestsOf(generator, 10)).toEqual([[3, [15, 16, 17, 18, 19, 20, 21, 22, 23, 24]]]);
  });

  test('of a datagram move further requests to the next one', () => {
    const generator = newGenerator();
    for (let sequence = 0; sequence < 600; sequence++) generator.onMissing(at(0), asSequence(sequence));
    const sizes = requestsOf(generator, 10).map(([ms, sequences]) => [ms, sequences.length]);
    expect(sizes).toEqual([
      [3, 256],
      [3, 256],
      [3, 88],
    ]);
  });
});

test('lists numbers in order, however they were missed', () => {
  const generator = newGenerator();
  for (const sequence of [10, 9, 100, 2]) generator.onMissing(at(0), asSequence(sequence));
  expect(requestsOf(generator, 10)).toEqual([[3, [2, 9, 10, 100]]]);
});
