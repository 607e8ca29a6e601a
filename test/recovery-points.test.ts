import { describe, expect, test } from 'vitest';
import { interval, POINTS, type Point, runPoint } from '../bench/point.ts';

/** Few frames: what a regression of the method would break. `npm run bench -- points` says how good it is. */
const FRAMES = 2_000;

const pointNamed = (name: string): Point => POINTS.find((point) => point.name === name)!;

describe('by deadline', () => {
  test.each(['A', 'B', 'C', 'D', 'E'])('point %s loses no more than it may, at no more traffic than it may', (name) => {
    const point = pointNamed(name);
    const { frames, framesLost, overhead } = runPoint(point, { recovery: 'hybrid', frames: FRAMES, seed: 1 });
    expect(frames).toBe(FRAMES);
    // Of so few frames the share itself says little: what is allowed must be within what could have been.
    expect(interval(framesLost, frames).low).toBeLessThanOrEqual(point.target!.lost);
    expect(framesLost).toBeLessThan(0.003 * frames);
    expect(overhead).toBeLessThan(point.target!.overhead + 0.005);
  });

  test.each(['A', 'B', 'D'])('point %s loses less than a tenth of what asking alone does', (name) => {
    const lost = (recovery: 'nack' | 'hybrid') =>
      runPoint(pointNamed(name), { recovery, frames: FRAMES, seed: 2 }).framesLost;
    expect(lost('hybrid')).toBeLessThan(lost('nack') / 10);
  });

  test('a clean path costs nothing beside the media, and a frame is there as soon as it can be decoded', () => {
    const outcome = runPoint(pointNamed('G'), { recovery: 'hybrid', frames: 600, seed: 1 });
    expect(outcome.framesLost).toBe(0);
    expect(outcome.sender.repairs + outcome.sender.retransmissions).toBe(0);
    expect(outcome.delayMsP50).toBeLessThan(pointNamed('G').oneWayMs + 3);
  });

  test('a path that reorders is asked for nothing once that is known', () => {
    const { sender, receiver } = runPoint(pointNamed('E'), { recovery: 'hybrid', frames: FRAMES, seed: 1 });
    expect(receiver.packets.reordered).toBeGreaterThan(1_000);
    expect(sender.retransmissions).toBeLessThan(100);
  });
});

describe('half of what the stream takes', () => {
  const run = (recovery: 'nack' | 'hybrid', onLoss: 'freeze' | 'smear') =>
    runPoint(pointNamed('F'), { recovery, frames: 1_200, seed: 1, onLoss });

  test('is used for whole frames and key frames before others, where asking alone gets no frame through', () => {
    const outcome = run('hybrid', 'smear');
    expect(outcome.released).toBeGreaterThan(0.35 * 1_200);
    expect(outcome.keysReleased).toBeGreaterThan(0.9 * 40);
    expect(outcome.framesWithheld).toBeGreaterThan(500);
    expect(run('nack', 'smear').released).toBeLessThan(12);
  });

  test('is not filled with frames that could not be decoded', () => {
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

test('a fixed ratio leaves the binomial tail: frames of twelve of which more than three of fifteen are lost', () => {
  const point: Point = { ...pointNamed('D'), forward: 'loss=10% delay=20ms', back: 'delay=20ms' };
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
