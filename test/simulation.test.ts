import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { RECOVERIES } from '../protocol/control/recovery.ts';
import type { ReceiverStatistics } from '../receiver/receiver-statistics.ts';
import { differences, runSession } from './simulated-session.ts';

const recoveredPackets = ({ packets }: ReceiverStatistics): number =>
  packets.recoveredInRound.reduce((sum, count) => sum + count, 0);

describe('a clean path', () => {
  test('delivers what was sent', () => {
    const { sent, received } = runSession({ forward: 'delay=20ms' });
    expect(differences(received, sent)).toEqual([]);
  });

  test("a bottleneck slightly above the stream's rate adds delay and loses no frame", () => {
    const { sent, received, receiver } = runSession({ forward: 'delay=20ms rate=4mbit queue=200ms', latencyMs: 200 });
    expect(differences(received, sent)).toEqual([]);
    expect(receiver.statistics.frames.onTime).toBe(sent.length);
  });

  test('jitter below the latency reorders packets and loses no frame', () => {
    const { sent, received, receiver } = runSession({
      forward: 'delay=5ms jitter=60ms',
      parameters: { recovery: 'reorder' },
    });
    expect(differences(received, sent)).toEqual([]);
    expect(receiver.statistics.packets.reordered).toBeGreaterThan(100);
  });

  test('duplicates are counted and change nothing', () => {
    const { sent, received, receiver, forward } = runSession({ forward: 'dup=20% delay=10ms' });
    expect(differences(received, sent)).toEqual([]);
    const { duplicated } = forward.counters;
    expect(duplicated).toBeGreaterThan(100);
    // Some of the duplicated datagrams are reports.
    expect(receiver.statistics.duplicates).toBeGreaterThan(duplicated - 20);
    expect(receiver.statistics.duplicates).toBeLessThanOrEqual(duplicated);
  });
});

describe('the invariants of every run', () => {
  const paths = [
    'loss=5% delay=20ms jitter=2ms',
    'loss=5% burst=5 delay=30ms jitter=10ms',
    'loss=30% delay=10ms jitter=40ms dup=10%',
    'loss=2% rate=2mbit queue=50ms delay=20ms',
    'corrupt=2% loss=1% delay=15ms jitter=5ms',
    'loss=20% burst=40 delay=80ms jitter=100ms dup=1%',
    'loss=100% delay=10ms',
  ];
  const recoveries = RECOVERIES;
  const cases = paths.flatMap((path) => recoveries.map((recovery) => ({ path, recovery })));

  test.each(cases)('hold for $path with recovery $recovery', ({ path, recovery }) => {
    for (const seed of [1, 2]) {
      for (const onLoss of ['freeze', 'smear'] as const) {
        const { events } = runSession({
          forward: `${path} seed=${seed}`,
          parameters: { recovery },
          receiver: { onLoss },
          stream: { frames: 90 },
        });
        // `runSession` has checked the rest; the impairment of a path must have occurred.
        const harmed = events.some(
          (event) => event.kind === 'dropped' || ('class' in event && event.class === 'recovered'),
        );
        expect(harmed, `seed ${seed}, ${onLoss}`).toBe(true);
      }
    }
  });

  test.each(recoveries)('packets lost by the link are those that never arrived (recovery %s)', (recovery) => {
    const { receiver, forward } = runSession({
      forward: 'loss=5% delay=20ms jitter=30ms',
      back: 'loss=100%',
      parameters: { recovery },
    });
    const { packets } = receiver.statistics;
    const reportsSent = forward.counters.offered - packets.decided;
    expect(packets.neverArrived).toBeLessThanOrEqual(forward.counters.lost);
    expect(packets.neverArrived).toBeGreaterThanOrEqual(forward.counters.lost - reportsSent);
  });
});

describe('the same seed', () => {
  const hashOf = (seed: number): string => {
    const hash = createHash('sha256');
    runSession({
      forward: `loss=3% burst=2 delay=20ms jitter=8ms dup=1% corrupt=0.1% rate=6mbit seed=${seed}`,
      stream: { frames: 120 },
      onDatagram: (now, direction, datagram) => hash.update(`${now} ${direction} `).update(datagram),
    });
    return hash.digest('hex');
  };

  test('gives the same bytes at the same instants twice; another seed gives others', () => {
    expect(hashOf(1)).toBe(hashOf(1));
    expect(hashOf(2)).not.toBe(hashOf(1));
  });
});

describe('requests', () => {
  test('leave the loss to the power of the rounds that fit', () => {
    // Round trip 40 ms: requests at about 5 and 50 ms, answers by 45 and 90 ms; a third would arrive at 135 of 120 ms.
    const loss = 0.1;
    const { receiver } = runSession({
      forward: 'loss=10% delay=20ms seed=3',
      back: 'delay=20ms',
      stream: { frames: 3_000, frameBytes: 4_000, keyFrameBytes: 12_000 },
      parameters: { redundancy: 1 },
      receiver: { onLoss: 'smear' },
    });
    const { packets } = receiver.statistics;
    const missing = packets.neverArrived + packets.late;
    const residual = loss ** 3;
    const deviation = Math.sqrt(packets.decided * residual * (1 - residual));
    // Four standard deviations, and as much again for packets whose gap is detected late (the last of a frame).
    expect(Math.abs(missing - packets.decided * residual)).toBeLessThan(8 * deviation);
    expect(recoveredPackets(receiver.statistics)).toBeGreaterThan(packets.decided * loss * 0.9);
    expect(packets.recoveredInRound[0]).toBeGreaterThan(packets.recoveredInRound[1] ?? 0);
  });

  test('are never answered beyond the share of the media', () => {
    const { sender } = runSession({
      forward: 'loss=60% delay=5ms',
      stream: { frames: 600 },
      parameters: { redundancy: 0.2 },
    });
    const { bytes, retransmissionBytes } = sender.statistics;
    expect(retransmissionBytes).toBeLessThan(bytes * 0.2 + 260_000);
  });
});

test('ten hours of stream wrap every number, lose nothing on a clean path, and retain nothing', () => {
  let inFlight = 0;
  let datagrams = 0;
  const { sent, receiver } = runSession({
    forward: 'delay=20ms',
    stream: { framesPerSecond: 2, frameBytes: 30, keyFrameBytes: 60, keyInterval: 50, frames: 2 * 36_000 },
    onDatagram: () => {
      datagrams++;
    },
    eachSecond: ({ forward, back }) => {
      inFlight = Math.max(inFlight, forward.counters.inFlight + back.counters.inFlight);
    },
  });
  expect(receiver.statistics.frames.onTime).toBe(sent.length);
  expect(inFlight).toBeLessThan(10);
  // One packet per frame; every second a report each way, an answer to each, and a path notice.
  expect(datagrams).toBeLessThan(72_000 + 4 * 36_100);
});
