import { describe, expect, test } from 'vitest';
import { type Instant, instant, milliseconds } from '../../../protocol/base/units.ts';
import { wireSequence } from '../../../protocol/rtp/sequence.ts';
import { MeasuredRate } from '../../../sender/rate/measured-rate.ts';
import { runSession } from '../../simulated-session.ts';

const at = (ms: number): Instant => instant(milliseconds(ms));

/** A controller to which packets were reported one by one, each sent at so many ms and delayed by so many. */
function reported(packets: readonly (readonly [sentMs: number, delayMs: number])[], latencyMs = 130): MeasuredRate {
  const rate = new MeasuredRate(milliseconds(latencyMs));
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

describe('the load of a path', () => {
  test('follows the queue: free, queued, full, and recovering for two seconds', () => {
    expect(reported([[0, 20]]).loadAt(at(50))).toBe('free');
    expect(
      reported([
        [0, 20],
        [30, 50],
      ]).loadAt(at(101)),
    ).toBe('queued');
    expect(
      reported([
        [0, 20],
        [30, 95],
      ]).loadAt(at(146)),
    ).toBe('full');
    const over = reported([
      [0, 20],
      [30, 95],
    ]);
    over.loadAt(at(146));
    over.onSent(at(200), { number: 2, bytes: 1_200, kind: 'media' });
    const packet = { number: 2, bytes: 1_200, kind: 'media', sentAt: at(200), mark: 'not-ect' } as const;
    const roundTrip = milliseconds(40);
    const packets = [{ ...packet, arrivedAt: milliseconds(220) }];
    over.onFeedback(at(240), { packets, bytesInFlight: 0, roundTrip, roundTripLatest: roundTrip });
    expect(over.loadAt(at(241))).toBe('recovering');
    expect(over.loadAt(at(3_000))).toBe('free');
  });

  test('is full after a quarter of a second whatever the latency', () => {
    expect(
      reported(
        [
          [0, 20],
          [30, 265],
        ],
        2_000,
      ).loadAt(at(316)),
    ).toBe('queued');
    expect(
      reported(
        [
          [0, 20],
          [30, 290],
        ],
        2_000,
      ).loadAt(at(341)),
    ).toBe('full');
  });
});

describe('the measured rate', () => {
  const drop = { forward: 'delay=20ms rate=700kbit queue=400ms', back: 'delay=20ms', latencyMs: 130 };
  const stream = { frames: 300, frameBytes: 4_000, keyFrameBytes: 12_000 };
  const run = (rate: 'measured' | 'limit', scenario: object = drop) =>
    runSession({ ...scenario, stream, parameters: { recovery: 'hybrid' }, sender: { rate } }).sender.statistics;

  test('withholds no frame on a full path, and retransmits hardly anything', () => {
    const measured = run('measured');
    expect(measured.framesWithheld).toBe(0);
    expect(measured.retransmissions).toBeLessThan(measured.packets / 20);
    expect(measured.repairs).toBeLessThan(measured.packets / 20);
  });

  test('answers requests as usual when losses occur without a queue', () => {
    const lossy = { forward: 'loss=5% delay=20ms seed=3', back: 'delay=20ms', latencyMs: 130 };
    const [measured, limit] = [run('measured', lossy), run('limit', lossy)];
    expect(measured.retransmissions).toBeGreaterThan(0.8 * limit.retransmissions);
    expect(wireSequence(measured.packets)).toBe(wireSequence(limit.packets));
  });
});
