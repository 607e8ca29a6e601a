import { describe, expect, test } from 'vitest';
import { type Instant, instant, microseconds, milliseconds } from '../../../protocol/base/units.ts';
import { asSequence } from '../../../protocol/rtp/sequence.ts';
import { RequestSchedule, type Terms } from '../../../receiver/recovery/request-schedule.ts';

const at = (ms: number): Instant => instant(milliseconds(ms));

/** One packet with a deadline of 120 ms, a round trip of 50 ms with 4 ms of variation, and no reordering. */
const TERMS: Terms = {
  answerTime: milliseconds(54),
  answerTimeKnown: true,
  spread: milliseconds(4),
  reorderWait: microseconds(0),
  reorderWaitMin: microseconds(0),
  stragglersLikely: false,
  patient: false,
  roundTrip: milliseconds(50),
  roundTripsWithin: (span) => (span >= milliseconds(50) ? 1 : 0),
  deadlineOf: () => at(120),
  referenceDeadlines: () => () => instant(Number.NEGATIVE_INFINITY),
};

/** Request times of the packet missed at 0, when the schedule is polled at the requested times plus a delay. */
function requestsOf(options: {
  readonly terms?: Partial<Terms>;
  readonly timerLate?: number;
  readonly afterFirst?: Partial<Terms>;
}) {
  const schedule = new RequestSchedule();
  schedule.onMissing(instant(0), asSequence(7));
  const requests: { readonly at: number; readonly last: boolean }[] = [];
  let terms = { ...TERMS, ...options.terms };
  for (let now = 0; now < at(200); now = schedule.nextAt + (options.timerLate ?? 0)) {
    for (const { last } of schedule.poll(instant(now), terms)) requests.push({ at: now, last });
    if (requests.length > 0) terms = { ...terms, ...options.afterFirst };
    if (!Number.isFinite(schedule.nextAt)) break;
  }
  return requests;
}

describe('a missing packet', () => {
  test('is requested at once, and again after an answer time and a quarter of the spare time', () => {
    // Two answers take 108 ms of the 120: 12 to spare, minus a microsecond.
    expect(requestsOf({})).toEqual([
      { at: 0, last: false },
      { at: at(57), last: true },
    ]);
  });

  test('is requested as planned, even if the timer is late and the measured answer time has grown', () => {
    expect(
      requestsOf({ timerLate: at(3), afterFirst: { answerTime: milliseconds(60), spread: milliseconds(10) } }).map(
        ({ last }) => last,
      ),
    ).toEqual([false, true]);
  });

  test('is no longer requested once the round trip and half of its variation do not fit', () => {
    expect(requestsOf({ afterFirst: { answerTime: milliseconds(68), spread: milliseconds(4) } })).toHaveLength(1);
  });

  test('is not requested when no answer can be in time from the start', () => {
    expect(requestsOf({ terms: { answerTime: milliseconds(124), roundTrip: milliseconds(120) } })).toEqual([]);
    expect(requestsOf({ terms: { deadlineOf: () => instant(Number.NEGATIVE_INFINITY) } })).toEqual([]);
  });

  test('is requested once when the usual answer is in time, and the slowest is not', () => {
    expect(requestsOf({ terms: { answerTime: milliseconds(124) } })).toEqual([{ at: 0, last: true }]);
  });

  test('is not requested again after the answer', () => {
    const schedule = new RequestSchedule();
    schedule.onMissing(instant(0), asSequence(7));
    expect(schedule.poll(instant(0), TERMS)).toHaveLength(1);
    expect(schedule.onArrival(asSequence(7))).toBe(0);
    expect(schedule.poll(at(80), TERMS)).toEqual([]);
  });
});

describe('a packet that may be reordered', () => {
  const reorderWait = milliseconds(15);

  test('is waited for as long as that costs no attempt', () => {
    expect(requestsOf({ terms: { reorderWait } })[0]!.at).toBe(at(12) - 1);
  });

  test('is waited for in full when it most likely arrives by itself and one attempt is left', () => {
    expect(requestsOf({ terms: { reorderWait, stragglersLikely: true } })).toEqual([{ at: reorderWait, last: true }]);
  });

  test('is waited for in full when there are attempts enough', () => {
    expect(requestsOf({ terms: { reorderWait, deadlineOf: () => at(200) } })[0]!.at).toBe(reorderWait);
  });

  test('is waited for when stragglers are frequent, but not at the cost of the only attempt', () => {
    const terms = { reorderWait, patient: true, deadlineOf: () => at(60) };
    expect(requestsOf({ terms })).toEqual([{ at: at(6) - 1, last: true }]);
    expect(requestsOf({ terms: { ...terms, reorderWaitMin: milliseconds(9) } })).toEqual([{ at: at(9), last: true }]);
    expect(requestsOf({ terms: { ...terms, deadlineOf: () => at(120) } })[0]!.at).toBe(reorderWait);
  });

  test('is not waited for beyond the last moment for an answer', () => {
    const [first] = requestsOf({ terms: { reorderWait, stragglersLikely: true, deadlineOf: () => at(60) } });
    expect(first).toEqual({ at: at(6) - 1, last: true });
  });
});

describe('the share of late answers', () => {
  /** After as many losses, all missed at 0 with the same deadline. */
  const shareAfter = (losses: number, terms: Partial<Terms>): number => {
    const schedule = new RequestSchedule();
    for (let sequence = 0; sequence < losses; sequence++) schedule.onMissing(instant(0), asSequence(sequence));
    schedule.poll(instant(0), { ...TERMS, ...terms });
    return schedule.answersLate;
  };

  test('is that of the round trips which are longer than the time left', () => {
    expect(shareAfter(1_000, { roundTripsWithin: () => 0.75 })).toBeCloseTo(0.25, 5);
    expect(shareAfter(1_000, {})).toBe(0);
  });

  test('counts losses that are not requested in time, but not those that are of no use', () => {
    const terms = { answerTime: milliseconds(124), roundTrip: milliseconds(120) };
    expect(shareAfter(1_000, terms)).toBeCloseTo(1, 5);
    expect(shareAfter(1_000, { ...terms, deadlineOf: () => instant(Number.NEGATIVE_INFINITY) })).toBe(0);
  });

  test('is averaged over some 64 losses', () => {
    expect(shareAfter(1, { roundTripsWithin: () => 0 })).toBeCloseTo(1 / 64, 5);
  });
});
