import fc from 'fast-check';
import { expect, test } from 'vitest';
import { instant, seconds } from '../../../protocol/base/units.ts';
import { RandomStream } from '../../../sim/random.ts';
import { CONGESTION_CONTROLS } from '../../../sim/tcp/congestion-control.ts';
import { at, numbered, Pair, type Rule } from './pair.ts';

interface Path {
  readonly loss: number;
  readonly late: number;
  readonly lateMs: number;
  readonly twice: number;
  readonly seed: number;
}

/**
 * Drops, duplicates and delays at random; at most two drops in a row, because fifteen timeouts would end the
 * connection.
 */
function rule({ loss, late, lateMs, twice, seed }: Path): Rule {
  const random = new RandomStream(seed, 'rule');
  let run = 0;
  return (_, number) => {
    run = run < 2 && random.chance(4 * number, loss) ? run + 1 : 0;
    if (run > 0) return 'drop';
    if (random.chance(4 * number + 1, late)) return { delay: at(random.below(4 * number + 2, lateMs + 1)) };
    return random.chance(4 * number + 3, twice) ? 'twice' : undefined;
  };
}

const path = fc.record({
  loss: fc.double({ min: 0, max: 0.5, noNaN: true }),
  late: fc.double({ min: 0, max: 0.5, noNaN: true }),
  lateMs: fc.nat(120),
  twice: fc.double({ min: 0, max: 0.3, noNaN: true }),
  seed: fc.nat(),
});

test('every byte arrives once and in order despite loss, duplication and reordering, and both ends close', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...CONGESTION_CONTROLS),
      path,
      path,
      fc.array(fc.integer({ min: 1, max: 9_000 }), { minLength: 1, maxLength: 30 }),
      fc.nat(0xffff_ffff),
      (congestionControl, forward, back, writes, initialSequence) => {
        const pair = new Pair({
          forward: rule(forward),
          back: rule(back),
          sender: { congestionControl, initialSequence },
        });
        let bytes = 0;
        writes.forEach((length, index) => {
          pair.write(at(100 + 33 * index), length, bytes);
          bytes += length;
        });
        pair.at(at(100 + 33 * writes.length), (now) => pair.sender.finish(now)).run(instant(seconds(20_000)));
        expect(Buffer.compare(pair.received, numbered(bytes))).toBe(0);
        expect(pair.receiverEvents.filter(({ event }) => event.kind === 'finished')).toHaveLength(1);
        expect(pair.senderEvents.at(-1)?.event.kind).toBe('closed');
        const { flow } = pair.sender;
        expect(flow).toMatchObject({ packetsOut: 0, sackedOut: 0, lostOut: 0, retransmittedOut: 0 });
      },
    ),
    { numRuns: 60 },
  );
});
