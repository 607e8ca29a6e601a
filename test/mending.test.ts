import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { microseconds } from '../protocol/base/units.ts';
import { runSession } from './simulated-session.ts';

/** A film with one key frame, in which every other frame refers to the one before it. */
const FILM = { keyInterval: 10_000, frames: 300, framesPerSecond: 30, frameBytes: 6_000, keyFrameBytes: 40_000 };

const recoveries = fc.constantFrom('nack', 'hybrid');

describe('a film with one key frame', () => {
  test.each(['nack', 'hybrid'] as const)('is received whole and in order through losses, by %s', (recovery) => {
    const { sent, received } = runSession({
      forward: 'loss=3% burst=2 delay=30ms seed=3',
      back: 'delay=30ms',
      latencyMs: 120,
      parameters: { recovery },
      stream: FILM,
    });
    expect(received.map(({ timestamp }) => timestamp)).toEqual(sent.map(({ timestamp }) => timestamp));
  });

  test('is lost from the first loss on without mending', () => {
    const { receiver } = runSession({
      forward: 'loss=3% burst=2 delay=30ms seed=3',
      back: 'delay=30ms',
      latencyMs: 80,
      parameters: { recovery: 'nack', mend: microseconds(0) },
      stream: FILM,
    });
    expect(receiver.statistics.frames.undecodable).toBeGreaterThan(30);
    expect(receiver.statistics.frames.mended).toBe(0);
  });

  test('costs at most a hundredth of its bytes for late packets', () => {
    const { sender } = runSession({
      forward: 'loss=3% burst=2 delay=30ms seed=5',
      back: 'delay=30ms',
      latencyMs: 120,
      stream: { ...FILM, frames: 1_800 },
    });
    expect(sender.statistics.lateBytes).toBeLessThan(0.01 * sender.statistics.bytes);
  });

  test('causes no requests on a clean path', () => {
    const run = (mend: number) =>
      runSession({ forward: 'delay=20ms', stream: FILM, parameters: { mend: microseconds(mend) } });
    const { sender, receiver } = run(5_000_000);
    expect(receiver.statistics.requests).toBe(run(0).receiver.statistics.requests);
    expect(sender.statistics).toMatchObject({ retransmissions: 0, lateBytes: 0 });
    // Behind the first frames, until the round trip is known.
    expect(sender.statistics.repairs).toBeLessThan(12);
    expect(receiver.statistics.frames.onTime).toBe(300);
  });
});

/** Any path and any stream: `runSession` checks that frames are released in order, and that the sums balance. */
test('marks and classes of mended frames agree, whatever the path does', () => {
  fc.assert(
    fc.property(
      recoveries,
      fc.record({
        loss: fc.integer({ min: 0, max: 20 }),
        burst: fc.integer({ min: 1, max: 12 }),
        delay: fc.integer({ min: 1, max: 120 }),
        jitter: fc.integer({ min: 0, max: 30 }),
        seed: fc.integer({ min: 1, max: 1_000 }),
      }),
      fc.integer({ min: 30, max: 400 }),
      fc.constantFrom(15, 60, 10_000),
      fc.constantFrom('deadline', 'asap'),
      (recovery, { loss, burst, delay, jitter, seed }, latencyMs, keyInterval, release) => {
        const { events, receiver } = runSession({
          forward: `loss=${loss}% burst=${burst} delay=${delay}ms jitter=${jitter}ms seed=${seed}`,
          latencyMs,
          parameters: { recovery },
          receiver: { release },
          stream: { ...FILM, keyInterval, frames: 120 },
        });
        const released = events.flatMap((event) => (event.kind === 'access-unit' ? [event] : []));
        for (const { class: frameClass, decodeOnly } of released) expect(decodeOnly).toBe(frameClass === 'mended');
        const { mended } = receiver.statistics.frames;
        expect(released.filter(({ decodeOnly }) => decodeOnly)).toHaveLength(mended);
        // A frame is mended or late only when it, or one before it, was incomplete at its deadline.
        for (const [index, { class: frameClass, completionDelay }] of released.entries()) {
          if (frameClass !== 'mended' && frameClass !== 'late') continue;
          const late = released.slice(0, index + 1).some((one) => one.completionDelay > latencyMs * 1_000);
          expect(late || completionDelay > latencyMs * 1_000).toBe(true);
        }
      },
    ),
    { numRuns: 40 },
  );
});
