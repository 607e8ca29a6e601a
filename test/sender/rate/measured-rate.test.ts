import { describe, expect, test } from 'vitest';
import { type Instant, instant, milliseconds } from '../../../protocol/base/units.ts';
import type { PathNotice } from '../../../protocol/rtcp/recovery-notice.ts';
import { MeasuredRate } from '../../../sender/rate/measured-rate.ts';
import { runSession } from '../../simulated-session.ts';

const NOTHING_LOST: PathNotice = {
  kind: 'path',
  latency: milliseconds(130),
  answerTime: milliseconds(50),
  loss: 0,
  burst: 1,
  recentLoss: 0,
  showsDamaged: false,
  queueing: milliseconds(0),
  spacing: milliseconds(0),
};

const at = (ms: number): Instant => instant(milliseconds(ms));

/** A controller to which packets were reported one by one, each sent at so many ms and delayed by so many. */
function reported(packets: readonly (readonly [sentMs: number, delayMs: number])[], latencyMs = 130): MeasuredRate {
  const rate = new MeasuredRate(milliseconds(latencyMs));
  rate.onQueue();
  for (const [number, [sentMs, delayMs]] of packets.entries()) {
    rate.onSent(at(sentMs), { number, bytes: 1_200, kind: 'media' });
    const roundTrip = milliseconds(delayMs + 20);
    const arrivedAt = milliseconds(sentMs + delayMs);
    const packet = { number, bytes: 1_200, kind: 'media', sentAt: at(sentMs), arrivedAt, mark: 'not-ect' } as const;
    rate.onFeedback(at(sentMs + delayMs + 20), {
      packets: [packet],
      bytesInFlight: 0,
      roundTrip,
      roundTripLatest: roundTrip,
    });
  }
  return rate;
}

describe('reports', () => {
  test('are requested once the receiver notes a queue of more than 10 ms', () => {
    const path = { ...NOTHING_LOST, queueing: milliseconds(8) };
    const rate = new MeasuredRate(milliseconds(130));
    rate.onPath(at(0), path);
    expect(rate.feedbackInterval).toBeUndefined();
    rate.onPath(at(100), { ...path, queueing: milliseconds(11) });
    expect(rate.feedbackInterval).toBe(milliseconds(20));
  });
});

/** Packets every 10 ms through a queue whose rate changes tenfold every 150 ms, so that it grows and drains. */
const varying = (endMs: number) => {
  let leavesMs = 0;
  return Array.from({ length: endMs / 10 }, (_, index) => {
    const sentMs = 10 * index;
    leavesMs = Math.max(leavesMs, sentMs) + (Math.floor(sentMs / 150) % 2 ? 2 : 20);
    return [sentMs, leavesMs - sentMs] as const;
  });
};

describe('the load of a path', () => {
  test('is free before any report', () => {
    expect(new MeasuredRate(milliseconds(130)).loadAt(at(0))).toBe('free');
  });

  test('is free in a queue of constant rate, and where packets wait by jitter', () => {
    const constant = Array.from({ length: 100 }, (_, index) => [10 * index, 20 + 5 * index] as const);
    const jitter = Array.from({ length: 100 }, (_, index) => [10 * index, 20 + ((index * 37) % 60)] as const);
    expect(reported(constant).loadAt(at(1_530))).toBe('free');
    expect(reported(jitter).loadAt(at(1_020))).toBe('free');
  });

  test('is queued in a queue of varying rate, and full from half of the latency on', () => {
    const packets = varying(1_000);
    const [sentMs, delayMs] = packets.at(-1)!;
    const heardAt = at(sentMs + delayMs + 20);
    expect(reported(packets, 2_000).loadAt(heardAt)).toBe('queued');
    expect(reported(packets, 40).loadAt(heardAt)).toBe('full');
  });
});

describe('the window', () => {
  const packets = varying(1_000);
  const [sentMs] = packets.at(-1)!;
  /** Offers and sends more packets right behind those reported. */
  const filled = (latencyMs: number, more: number, noticed = true) => {
    const rate = reported(packets, latencyMs);
    if (noticed) rate.onPath(at(sentMs), NOTHING_LOST);
    for (let number = 0; number < more; number++) {
      rate.onSent(at(sentMs + 200), { number: 1_000 + number, bytes: 1_200, kind: 'media' });
    }
    return rate;
  };

  test('closes when 150 ms of queue are under way, and opens after a silence', () => {
    const rate = filled(1_000, 300);
    expect(rate.windowBytes).toBe(0);
    rate.onTimeout(at(sentMs + 1_500));
    expect(rate.windowBytes).toBeUndefined();
  });

  test('stays open with few packets under way, with a short latency, and for receivers without notices', () => {
    expect(filled(1_000, 1).windowBytes).toBeUndefined();
    expect(filled(399, 300).windowBytes).toBeUndefined();
    expect(filled(1_000, 300, false).windowBytes).toBeUndefined();
  });
});

describe('the measured rate', () => {
  const stream = { frames: 600, frameBytes: 4_000, keyFrameBytes: 12_000 };
  const run = (rate: 'measured' | 'limit', scenario: object) =>
    runSession({ ...scenario, stream, parameters: { recovery: 'hybrid' }, sender: { rate } }).sender.statistics;
  const BACK = { back: 'delay=20ms', latencyMs: 130 };

  test('withholds fewer frames than the limit, and retransmits and repairs less, on a path that varies', () => {
    const steps = Array.from({ length: 19 }, (_, second) => `at ${second + 1}s: rate=${second % 2 ? 3_000 : 500}kbit`);
    const path = { forward: `delay=20ms rate=3mbit queue=400ms ${steps.join(' ')}`, ...BACK };
    const [measured, limit] = [run('measured', path), run('limit', path)];
    expect(measured.framesWithheld).toBeLessThan(limit.framesWithheld / 2);
    expect((measured.retransmissions + measured.repairs) / measured.packets).toBeLessThan(
      (limit.retransmissions + limit.repairs) / limit.packets,
    );
  });

  test('withholds frames of a long latency where a path that varies is too narrow on average, and none where it is not', () => {
    const withheld = (kbit: number, latencyMs: number) => {
      const steps = Array.from(
        { length: 19 },
        (_, second) => `at ${second + 1}s: rate=${kbit * (second % 2 ? 3 : 1)}kbit`,
      );
      const forward = `delay=20ms rate=${3 * kbit}kbit queue=500ms ${steps.join(' ')}`;
      return run('measured', { forward, back: 'delay=20ms', latencyMs }).framesWithheld;
    };
    expect(withheld(300, 1_000)).toBeGreaterThan(100);
    expect(withheld(1_500, 1_000)).toBe(0);
  });

  test('withholds frames on a constant path that is too narrow', () => {
    expect(run('measured', { forward: 'delay=20ms rate=700kbit queue=400ms', ...BACK }).framesWithheld).toBeGreaterThan(
      0,
    );
  });

  test('is the limit on a path without a queue', () => {
    const lossy = { forward: 'loss=5% delay=20ms seed=3', ...BACK };
    expect(run('measured', lossy)).toEqual(run('limit', lossy));
  });
});
