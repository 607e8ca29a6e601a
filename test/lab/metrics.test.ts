import { describe, expect, test } from 'vitest';
import { FrameTable } from '../../lab/frame-table.ts';
import { enterDecodability } from '../../lab/metrics/decodability.ts';
import { libwebrtcFreezes, stalls, tamburFreezes, w3cFreezes, w3cPauses } from '../../lab/metrics/freeze.ts';
import { InterarrivalJitter } from '../../lab/metrics/interarrival-jitter.ts';
import { percentile, roundedMean, sorted } from '../../lab/metrics/percentile.ts';
import { RunLengths } from '../../lab/metrics/run-lengths.ts';
import { instant, microseconds } from '../../protocol/base/units.ts';
import { wireTimestamp } from '../../protocol/rtp/sequence.ts';

/** Times of frames with the given durations between them: milliseconds in, microseconds out. */
function instants(...durationsMs: number[]): number[] {
  const result = [0];
  for (const duration of durationsMs) result.push(result.at(-1)! + Math.round(duration * 1_000));
  return result;
}
const steady = (frames: number, durationMs: number): number[] => new Array(frames).fill(durationMs);

describe('percentiles', () => {
  test('are observed values (nearest rank)', () => {
    const values = sorted([10, 9, 30, 20]);
    expect([0.25, 0.5, 0.51, 0.99, 1].map((share) => percentile(values, share))).toEqual([9, 10, 20, 30, 30]);
  });

  test('the 95th percentile of twenty values is the nineteenth', () => {
    const values = sorted(Array.from({ length: 20 }, (_, i) => i + 1));
    expect(percentile(values, 0.95)).toBe(19);
    expect(percentile(values, 0.05)).toBe(1);
  });

  test('missed frames occupy the last ranks', () => {
    const values = sorted([5, Number.POSITIVE_INFINITY, 7, 6]);
    expect([0.75, 0.76].map((share) => percentile(values, share))).toEqual([7, Number.POSITIVE_INFINITY]);
  });

  test('are null without values', () => {
    expect([percentile(sorted([]), 0.5), roundedMean(sorted([]))]).toEqual([null, null]);
  });
});

describe('decodability', () => {
  const decodable = (frames: FrameTable) => {
    enterDecodability(frames);
    return Array.from({ length: frames.length }, (_, row) => frames.record(row).decodableAt);
  };

  test('a lost reference makes all frames undecodable until the next key frame', () => {
    const frames = FrameTable.of([
      { type: 'key', completeAt: 10 },
      { completeAt: 20 },
      { class: 'incomplete' },
      { completeAt: 40, class: 'undecodable' },
      { type: 'key', completeAt: 50 },
      { completeAt: 60 },
    ]);
    expect(decodable(frames)).toEqual([10, 20, null, null, 50, 60]);
  });

  test('a lost discardable frame affects no other', () => {
    const frames = FrameTable.of([{ type: 'key', completeAt: 10 }, { type: 'discardable' }, { completeAt: 30 }]);
    expect(decodable(frames)).toEqual([10, null, 30]);
  });

  test('a frame is not decodable before its reference', () => {
    const frames = FrameTable.of([
      { type: 'key', completeAt: 10 },
      { completeAt: 90, class: 'recovered' },
      { completeAt: 30 },
      { type: 'key', completeAt: 40 },
    ]);
    expect(decodable(frames)).toEqual([10, 90, 90, 40]);
  });

  test('a frame completed after it was dropped is not decodable', () => {
    const frames = FrameTable.of([
      { type: 'key', completeAt: 10 },
      { completeAt: 500, class: 'overdue' },
      { completeAt: 30 },
    ]);
    expect(decodable(frames)).toEqual([10, null, null]);
  });

  test('nothing is decodable without a key frame', () => {
    expect(decodable(FrameTable.of([{ completeAt: 10 }, { type: 'discardable', completeAt: 20 }]))).toEqual([
      null,
      null,
    ]);
  });
});

describe('the three freeze definitions', () => {
  test('have thresholds of 190, 195 and just above 190 ms at 25 frames per second', () => {
    const framesWith = (durationMs: number) => instants(...steady(40, 40), durationMs, 40);
    expect([189.999, 190].map((duration) => w3cFreezes(framesWith(duration)).count)).toEqual([0, 1]);
    expect([190, 190.001].map((duration) => tamburFreezes(framesWith(duration)).count)).toEqual([0, 1]);
    // The mean of 29 · 40 and 195 is 45.2, rounded down to 45; plus 150 gives 195.
    expect([194, 195].map((duration) => libwebrtcFreezes(framesWith(duration)).count)).toEqual([0, 1]);
  });

  test('use three times the mean for long frames', () => {
    // 100 ms: 3·100 > 100 + 150.
    const framesWith = (durationMs: number) => instants(...steady(40, 100), durationMs);
    expect([299, 300].map((duration) => w3cFreezes(framesWith(duration)).count)).toEqual([0, 1]);
    expect([300, 301].map((duration) => tamburFreezes(framesWith(duration)).count)).toEqual([0, 1]);
  });

  test('count full frame durations, not the excess', () => {
    const renderedAt = instants(...steady(40, 40), 500, ...steady(40, 40), 700);
    for (const freezes of [w3cFreezes, libwebrtcFreezes, tamburFreezes]) {
      expect(freezes(renderedAt)).toEqual({ count: 2, duration: 1_200_000 });
    }
  });

  test('libwebrtc needs five durations and Tambur thirty-one', () => {
    expect(libwebrtcFreezes(instants(40, 40, 40, 900)).count).toBe(0);
    expect(libwebrtcFreezes(instants(40, 40, 40, 40, 900)).count).toBe(1);
    expect(tamburFreezes(instants(...steady(29, 40), 900)).count).toBe(0);
    expect(tamburFreezes(instants(...steady(30, 40), 900)).count).toBe(1);
    expect(w3cFreezes(instants(40, 900)).count).toBe(1);
  });

  test('zero, one or two frames are not a freeze', () => {
    for (const freezes of [w3cFreezes, w3cPauses, libwebrtcFreezes, tamburFreezes]) {
      for (const renderedAt of [[], [5], instants(3_000)]) expect(freezes(renderedAt).count).toBe(0);
    }
  });

  test('more than five seconds is a pause, and not a freeze for libwebrtc', () => {
    const renderedAt = instants(...steady(40, 40), 5_001, ...steady(5, 40));
    expect(w3cPauses(renderedAt)).toEqual({ count: 1, duration: 5_001_000 });
    expect(w3cPauses(instants(...steady(40, 40), 5_000)).count).toBe(0);
    expect(w3cFreezes(renderedAt)).toEqual({ count: 1, duration: 5_001_000 });
    expect(libwebrtcFreezes(renderedAt).count).toBe(0);
  });

  test('a long freeze raises the mean of the next thirty durations', () => {
    // After 3 s among durations of 40 ms the mean is 138.7 ms, so the threshold is 416 ms.
    const renderedAt = instants(...steady(40, 40), 3_000, 40, 400);
    expect(w3cFreezes(renderedAt).count).toBe(1);
    expect(w3cFreezes(instants(...steady(40, 40), 3_000, 40, 420)).count).toBe(2);
  });
});

describe('stalls', () => {
  const period = 40_000;

  test('a steady stream has none', () => {
    const renderedAt = instants(...steady(24, 40));
    expect(stalls(renderedAt, { from: instant(0), to: instant(1_000_000) }, microseconds(period))).toEqual({
      stalled: 0,
      watched: 1_000_000,
    });
  });

  test('time beyond one frame period counts, also at both ends', () => {
    // Shown at 100 … 140 and 300 … 340 ms: 100 before, 160 between, 60 after.
    const watched = { from: instant(0), to: instant(400_000) };
    expect(stalls([100_000, 300_000], watched, microseconds(period))).toEqual({ stalled: 320_000, watched: 400_000 });
  });

  test('without frames everything is stalled', () => {
    expect(stalls([], { from: instant(0), to: instant(400_000) }, microseconds(period)).stalled).toBe(400_000);
  });

  test('frames at the same time count once', () => {
    expect(stalls([0, 1_000, 2_000], { from: instant(0), to: instant(100_000) }, microseconds(period)).stalled).toBe(
      58_000,
    );
  });
});

describe('loss bursts', () => {
  const runs = (fates: string) => {
    const lengths = new RunLengths();
    for (const fate of fates) lengths.add(fate === 'x');
    return lengths.histogram();
  };

  test('are counted by length, including the last one', () => {
    expect(runs('.x..xx.x.xxx..xx')).toEqual([
      [1, 2],
      [2, 2],
      [3, 1],
    ]);
    expect(runs('....')).toEqual([]);
  });

  test('are sorted numerically', () => {
    expect(runs(`${'x'.repeat(10)}.${'x'.repeat(9)}`)).toEqual([
      [9, 1],
      [10, 1],
    ]);
  });

  test('have mean and maximum', () => {
    expect(RunLengths.summarize(runs('.x..xx.x.xxx..xx'))).toEqual({ runs: 5, mean: 9 / 5, max: 3 });
    expect(RunLengths.summarize([])).toEqual({ runs: 0, mean: null, max: 0 });
  });
});

describe('interarrival jitter', () => {
  test('is zero for regular packets, and null after a single one', () => {
    const jitter = new InterarrivalJitter();
    jitter.add(instant(0), wireTimestamp(0));
    expect(jitter.value).toBeNull();
    for (let i = 1; i < 100; i++) jitter.add(instant(i * 40_000), wireTimestamp(i * 3_600));
    expect(jitter.value).toBe(0);
  });

  test('moves by a sixteenth of each difference', () => {
    const jitter = new InterarrivalJitter();
    jitter.add(instant(0), wireTimestamp(0));
    jitter.add(instant(41_600), wireTimestamp(3_600)); // 1600 µs late: 100
    expect(jitter.value).toBe(100);
    jitter.add(instant(80_000), wireTimestamp(7_200)); // 1600 µs early: 100 + 1500/16
    expect(jitter.value).toBe(194);
  });

  test('continues across timestamp wrap-around', () => {
    const jitter = new InterarrivalJitter();
    jitter.add(instant(0), wireTimestamp(0xffff_ffff - 1_799));
    jitter.add(instant(40_000), wireTimestamp(1_800));
    expect(jitter.value).toBe(0);
  });
});
