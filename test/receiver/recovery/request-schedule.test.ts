import { describe, expect, test } from 'vitest';
import { type Instant, instant, microseconds, milliseconds } from '../../../protocol/base/units.ts';
import { asSequence } from '../../../protocol/rtp/sequence.ts';
import { RequestSchedule, type Terms } from '../../../receiver/recovery/request-schedule.ts';

const at = (ms: number): Instant => instant(milliseconds(ms));

/** One packet, due at 120 ms, with a round trip of 50 ms and 4 ms of variation, that nothing overtakes. */
const TERMS: Terms = {
  answerTime: milliseconds(54),
  answerTimeKnown: true,
  spread: milliseconds(4),
  reorderWait: microseconds(0),
  stragglersLikely: false,
  patient: false,
  deadlineOf: () => at(120),
  referenceDeadlines: () => () => instant(Number.NEGATIVE_INFINITY),
};

/** When the packet, missed at 0, is asked for, if the schedule is asked each time it wants to be and so much later. */
function asked(options: {
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

describe('a packet is asked for', () => {
  test('at once, and once more an answer time and a quarter of the time to spare later', () => {
    // Two answers take 108 ms of the 120: 12 to spare, less a microsecond.
    expect(asked({})).toEqual([
      { at: 0, last: false },
      { at: at(57), last: true },
    ]);
  });

  test('as planned, though its timer rang late and the path has come to look longer', () => {
    expect(
      asked({ timerLate: at(3), afterFirst: { answerTime: milliseconds(60), spread: milliseconds(10) } }).map(
        ({ last }) => last,
      ),
    ).toEqual([false, true]);
  });

  test('no more, once not even the round trip and half of its variation fit', () => {
    expect(asked({ afterFirst: { answerTime: milliseconds(68), spread: milliseconds(4) } })).toHaveLength(1);
  });

  test('never, where no answer can be in time from the beginning', () => {
    expect(asked({ terms: { answerTime: milliseconds(120) } })).toEqual([]);
    expect(asked({ terms: { deadlineOf: () => instant(Number.NEGATIVE_INFINITY) } })).toEqual([]);
  });

  test('never again after its answer', () => {
    const schedule = new RequestSchedule();
    schedule.onMissing(instant(0), asSequence(7));
    expect(schedule.poll(instant(0), TERMS)).toHaveLength(1);
    expect(schedule.onArrival(asSequence(7))).toBe(0);
    expect(schedule.poll(at(80), TERMS)).toEqual([]);
  });
});

describe('what may only have been overtaken', () => {
  const reorderWait = milliseconds(15);

  test('is waited for as long as that costs no attempt', () => {
    expect(asked({ terms: { reorderWait } })[0]!.at).toBe(at(12) - 1);
  });

  test('is waited for in full where it most likely comes by itself, if one attempt is left', () => {
    expect(asked({ terms: { reorderWait, stragglersLikely: true } })).toEqual([{ at: reorderWait, last: true }]);
  });

  test('is waited for in full where there are attempts enough', () => {
    expect(asked({ terms: { reorderWait, deadlineOf: () => at(200) } })[0]!.at).toBe(reorderWait);
  });

  test('is not waited for beyond the last moment for an answer', () => {
    const [first] = asked({ terms: { reorderWait, stragglersLikely: true, deadlineOf: () => at(60) } });
    expect(first).toEqual({ at: at(6) - 1, last: true });
  });
});
