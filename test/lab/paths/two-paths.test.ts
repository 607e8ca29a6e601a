import { describe, expect, test } from 'vitest';
import type { Cell } from '../../../lab/cell.ts';
import type { CellResult } from '../../../lab/cell-result.ts';
import { runCell } from '../../../lab/run-cell.ts';
import type { StrategyName } from '../../../lab/strategies.ts';
import type { StrategyParameters } from '../../../lab/strategy.ts';

const SECONDS = 8;
const WARM_UP = 2;
/** From this time on, a path delivers nothing. */
const FAILURE = 'outage=5s-1000s';

interface Trial {
  readonly strategy: StrategyName;
  readonly parameters?: StrategyParameters;
  readonly budgetMs: number;
  /** Default 3,000, which is ten packets in a frame. */
  readonly kbps?: number;
  /** Words of the first and the second path, in both directions. */
  readonly first: string;
  readonly second: string;
}

function run({ strategy, parameters = {}, budgetMs, kbps = 3_000, first, second }: Trial): CellResult {
  const cell: Cell = {
    strategy,
    parameters,
    source: { kind: 'synthetic', fps: 30, kbps, keyInterval: 60, keyFrameRatio: 4, frames: SECONDS * 30 },
    forward: `${first} seed=1`,
    back: `${first} seed=1`,
    second: { forward: `${second} seed=2`, back: `${second} seed=2` },
    budgetMs,
    warmUpSeconds: WARM_UP,
    release: 'deadline',
    seed: 1,
  };
  return runCell(cell);
}

const missed = ({ row }: CellResult): number => row.frames - row.framesInTime;
const both = (words: string) => ({ first: words, second: words });

describe.each([
  { which: 'first', first: `delay=20ms ${FAILURE}`, second: 'delay=20ms' },
  { which: 'second', first: 'delay=20ms', second: `delay=20ms ${FAILURE}` },
])('the failure of the $which path', ({ first, second, which }) => {
  test.each(['paths-duplicate', 'paths-coded'] as const)(
    'costs %s no frame, although no request is answered in time',
    (strategy) => {
      expect(missed(run({ strategy, first, second, budgetMs: 50 }))).toBe(0);
    },
  );

  test('costs a split stream frames when no request is answered in time, and none when there is time', () => {
    expect(missed(run({ strategy: 'paths-split', first, second, budgetMs: 50 }))).toBeGreaterThan(0);
    expect(missed(run({ strategy: 'paths-split', first, second, budgetMs: 90 }))).toBe(0);
  });

  test(`${which === 'first' ? 'ends' : 'does not concern'} a stream over the first path alone`, () => {
    const result = run({ strategy: 'hybrid', first, second, budgetMs: 200 });
    expect(missed(result)).toBe(which === 'first' ? 90 : 0);
    expect(result.second!.datagramsSecondForward).toBe(0);
    expect(result.row.limitMissRatio, 'the limit of one path is not that of both').toBeNull();
  });
});

describe('while both paths live', () => {
  test('duplication doubles the bytes, and coding does as long as no request is answered in time', () => {
    const overhead = (strategy: StrategyName, budgetMs: number) =>
      run({ strategy, budgetMs, ...both('delay=20ms') }).row.overheadForward;
    const single = overhead('hybrid', 50);
    expect(overhead('paths-duplicate', 50)).toBeGreaterThan(single + 1);
    expect(overhead('paths-coded', 50)).toBeGreaterThan(single + 0.95);
    expect(overhead('paths-coded', 90)).toBeLessThan(single + 0.05);
    expect(overhead('paths-split', 50)).toBeLessThan(single + 0.05);
  });

  test('half of the packets take each path, or the share that is asked for', () => {
    const shareOfSecond = (parameters: StrategyParameters) => {
      const { row, second } = run({ strategy: 'paths-split', parameters, budgetMs: 100, ...both('delay=20ms') });
      return second!.bytesSecondForward! / row.bytesForward;
    };
    expect(shareOfSecond({})).toBeCloseTo(0.5, 2);
    expect(shareOfSecond({ firstShare: 0.75 })).toBeCloseTo(0.25, 1);
  });

  test('a copy is a repair packet in the tables, and every packet is counted once', () => {
    const split = run({ strategy: 'paths-split', budgetMs: 100, ...both('delay=20ms') }).row;
    const copied = run({ strategy: 'paths-duplicate', budgetMs: 100, ...both('delay=20ms') }).row;
    expect(copied.packetsSent).toBe(split.packetsSent);
    expect(copied.repairsSent).toBe(split.packetsSent);
    expect(copied.packetsLost).toBe(0);
  });

  test('paths of different delays lose nothing, and nothing is requested that is on its way', () => {
    const result = run({ strategy: 'paths-split', budgetMs: 150, first: 'delay=10ms', second: 'delay=40ms' });
    expect(missed(result)).toBe(0);
    expect(result.row.bytesRetransmission).toBeLessThan(result.row.bytesSource * 0.01);
  });
});

test('encrypted datagrams take the same paths', () => {
  const result = run({
    strategy: 'paths-coded',
    parameters: { encrypted: true },
    budgetMs: 50,
    first: `delay=20ms ${FAILURE}`,
    second: 'delay=20ms',
  });
  expect(missed(result)).toBe(0);
});

test('a path that returns carries its share again', () => {
  const interrupted = run({
    strategy: 'paths-split',
    budgetMs: 100,
    first: 'delay=20ms outage=3s-4s',
    second: 'delay=20ms',
  });
  const { row, second } = interrupted;
  expect(missed(interrupted)).toBe(0);
  // One of six seconds, and the probing after it, by the second path alone.
  expect(second!.bytesSecondForward! / row.bytesForward).toBeGreaterThan(0.55);
  expect(second!.bytesSecondForward! / row.bytesForward).toBeLessThan(0.68);
});

describe.each(['paths-split', 'paths-coded', 'paths-duplicate'] as const)('%s', (strategy) => {
  test.each([
    { packets: 'one packet', kbps: 200 },
    { packets: 'forty packets', kbps: 12_000 },
  ])('shows frames of $packets, whose edges come by paths of different delays and are lost on both', ({ kbps }) => {
    const [first, second] = ['loss=2% delay=10ms', 'loss=2% delay=40ms'];
    expect(missed(run({ strategy, budgetMs: 320, kbps, first, second }))).toBe(0);
  });
});
