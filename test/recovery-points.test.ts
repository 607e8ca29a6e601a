import { describe, expect, test } from 'vitest';
import { type BenchPoint, interval, POINTS, runPoint } from '../bench/point.ts';

/** Few frames, enough to detect a regression. `npm run bench -- points` measures the quality. */
const FRAMES = 2_000;

const pointNamed = (name: string): BenchPoint => POINTS.find((point) => point.name === name)!;

describe('deadline recovery', () => {
  test.each(['A', 'B', 'C', 'D', 'E'])('point %s loses no more than it may, at no more traffic than it may', (name) => {
    const point = pointNamed(name);
    const { frames, framesLost, overhead } = runPoint(point, { recovery: 'hybrid', frames: FRAMES, seed: 1 });
    expect(frames).toBe(FRAMES);
    // With so few frames the measured share is imprecise, so its confidence interval must include the target.
    expect(interval(framesLost, frames).low).toBeLessThanOrEqual(point.target!.lost);
    expect(framesLost).toBeLessThan(0.003 * frames);
    expect(overhead).toBeLessThan(point.target!.overhead + 0.005);
  });

  test.each(['A', 'B', 'D'])('point %s loses less than a tenth of the frames that requests alone lose', (name) => {
    const lost = (recovery: 'nack' | 'hybrid') =>
      runPoint(pointNamed(name), { recovery, frames: FRAMES, seed: 2 }).framesLost;
    expect(lost('hybrid')).toBeLessThan(lost('nack') / 10);
  });

  // One answer barely fits: without jitter it takes 60 ms of the 120 that are left.
  test.each([15, 16, 17, 18])(
    'where the answer to the only request may be late (jitter of %d ms), repair packets replace it',
    (jitter) => {
      const link = `loss=5% jitter=${jitter}ms delay=30ms`;
      const point: BenchPoint = { ...pointNamed('A'), forward: link, back: link, oneWayMs: 30 };
      const { frames, framesLost, overhead } = runPoint(point, { recovery: 'hybrid', frames: FRAMES, seed: 1 });
      expect(interval(framesLost, frames).low).toBeLessThanOrEqual(0.003);
      // Fixed repair packets take 27.9 %, and lose 0.43 % of the frames.
      expect(overhead).toBeLessThan(0.279);
    },
  );

  test.each([
    { path: 'loss=2% delay=75ms', oneWayMs: 75, budgetMs: 200, packets: 160 },
    { path: 'loss=1% delay=50ms', oneWayMs: 50, budgetMs: 150, packets: 12 },
    { path: 'loss=5% delay=50ms', oneWayMs: 50, budgetMs: 150, packets: 12 },
  ])('loses little in the first second, where no round trip fits: $path, $packets packets a frame', (own) => {
    const point = { ...pointNamed('D'), ...own, forward: own.path, back: own.path };
    const lost = [1, 2, 3, 4].map((seed) => runPoint(point, { recovery: 'hybrid', frames: 30, seed }).framesLost);
    expect(lost.reduce((sum, frames) => sum + frames)).toBeLessThanOrEqual(4);
  });

  test('costs a clean path little until it is known', () => {
    const { overhead, headers } = runPoint(pointNamed('G'), { recovery: 'hybrid', frames: 150, seed: 1 });
    expect(overhead - headers).toBeLessThan(0.01);
  });

  test.each([20, 30, 40])('frames of %d packets, whose end is announced, cost about the loss', (packets) => {
    const link = 'loss=0.5% delay=10ms';
    const point = { ...pointNamed('A'), forward: link, back: link, oneWayMs: 10, budgetMs: 60, framesPerSecond: 60 };
    const { framesLost, overhead, headers } = runPoint(
      { ...point, packets },
      { recovery: 'hybrid', frames: 900, seed: 1 },
    );
    expect(framesLost).toBeLessThanOrEqual(1);
    expect(overhead - headers).toBeLessThan(0.02);
  });

  test('on a clean path adds no overhead, and releases each frame as soon as it can be decoded', () => {
    const outcome = runPoint(pointNamed('G'), { recovery: 'hybrid', frames: 600, seed: 1 });
    expect(outcome.framesLost).toBe(0);
    // The first frames, until the round trip is known.
    expect(outcome.sender.repairs).toBeLessThan(12);
    expect(outcome.sender.retransmissions).toBe(0);
    expect(outcome.delayMsP50).toBeLessThan(pointNamed('G').oneWayMs + 3);
  });

  test('on a reordering path requests nothing once reordering is known', () => {
    const { sender, receiver } = runPoint(pointNamed('E'), { recovery: 'hybrid', frames: FRAMES, seed: 1 });
    expect(receiver.packets.reordered).toBeGreaterThan(1_000);
    expect(sender.retransmissions).toBeLessThan(100);
  });
});

describe("on a path of half the stream's rate", () => {
  const run = (recovery: 'nack' | 'hybrid', onLoss: 'freeze' | 'smear') =>
    runPoint(pointNamed('F'), { recovery, frames: 1_200, seed: 1, onLoss });

  test('the capacity goes to whole frames, key frames first, where requests alone deliver none', () => {
    const outcome = run('hybrid', 'smear');
    expect(outcome.released).toBeGreaterThan(0.35 * 1_200);
    expect(outcome.keysReleased).toBeGreaterThan(0.9 * 40);
    expect(outcome.framesWithheld).toBeGreaterThan(500);
    expect(run('nack', 'smear').released).toBeLessThan(12);
  });

  test('the capacity is not used for frames that cannot be decoded', () => {
    const outcome = run('hybrid', 'freeze');
    expect(outcome.released).toBe(outcome.decodable);
    expect(outcome.keysReleased).toBeGreaterThan(0.9 * 40);
  });

  test.each(['smear', 'freeze'] as const)('never costs more than the stream and its budget (%s)', (onLoss) => {
    expect(run('hybrid', onLoss).overheadOfAll).toBeLessThan(0.25);
    const { sender } = run('hybrid', onLoss);
    expect(sender.retransmissionBytes + sender.repairBytes).toBeLessThanOrEqual(0.25 * sender.bytes + 8_000);
  });
});

test('a fixed ratio loses the binomial tail: frames of twelve packets with more than three of fifteen lost', () => {
  const point: BenchPoint = { ...pointNamed('D'), forward: 'loss=10% delay=20ms', back: 'delay=20ms' };
  const { frames, framesLost, receiver, sender } = runPoint(point, { recovery: 'fec', frames: 4_000, seed: 4 });
  let tail = 1;
  for (let lost = 0, choices = 1; lost <= 3; lost++) {
    tail -= choices * 0.1 ** lost * 0.9 ** (15 - lost);
    choices = (choices * (15 - lost)) / (lost + 1);
  }
  const deviation = Math.sqrt(frames * tail * (1 - tail));
  expect(Math.abs(framesLost - frames * tail)).toBeLessThan(4 * deviation);
  expect(sender.repairs).toBe(3 * frames);
  expect(receiver.packets.repaired).toBeGreaterThan(0.08 * receiver.packets.decided);
  expect(receiver.requests).toBe(0);
});
