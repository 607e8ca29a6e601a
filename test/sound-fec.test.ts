import { expect, test } from 'vitest';
import { codecByName } from '../protocol/codec/codecs.ts';
import { UnlimitedRate } from '../sender/rate/unlimited-rate.ts';
import { runSession } from './simulated-session.ts';

const OPUS = codecByName('opus');

/** A minute of sound in units of 20 ms, over single losses. */
function run(redundancy: number) {
  const { receiver, sender } = runSession({
    forward: 'loss=3% delay=30ms seed=5',
    latencyMs: 150,
    stream: { codec: OPUS, framesPerSecond: 50, keyInterval: 1, frames: 3_000, frameBytes: 240, keyFrameBytes: 240 },
    parameters: { codec: OPUS, recovery: 'fec', redundancy },
    sender: { rate: () => new UnlimitedRate() },
  });
  const { repairs, packets, repairBytes, bytes } = sender.statistics;
  const { frames } = receiver.statistics;
  return {
    repairs: repairs / packets,
    share: repairBytes / bytes,
    lost: 1 - (frames.onTime + frames.recovered) / 3_000,
  };
}

test.each([
  [0.25, 0.3],
  [0.5, 0.6],
])('fec of sound sends %d repair packets per packet, not one for each', (redundancy, shareMax) => {
  const { repairs, share, lost } = run(redundancy);
  expect(repairs).toBeCloseTo(redundancy, 2);
  expect(share).toBeLessThan(shareMax);
  expect(lost).toBeLessThan(0.006);
});
