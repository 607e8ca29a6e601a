import { expect, test } from 'vitest';
import { TAMBUR } from '../../../lab/schemes/tambur.ts';
import { runExperiment } from '../../../lab/validation/stream-simulations.ts';
import { instant } from '../../../protocol/base/units.ts';
import { mediaPackets, STREAM } from './media-packets.ts';
import { SEED } from './missed-frames.ts';

const [PER_FRAME, FRAMES] = [6, 12];

/** Returns, for each frame, the indices of the packets that are recovered while its packets arrive. */
function recoveredBy(frame: (sequence: number) => boolean, redundancy: number): number[][] {
  const { sender, receiver } = TAMBUR.build({ redundancy, delayFrames: 3 }, STREAM);
  const sent = mediaPackets(PER_FRAME * FRAMES, PER_FRAME);
  const recovered: number[][] = Array.from({ length: FRAMES }, () => []);
  for (const [index, packet] of sent.entries()) {
    const now = Math.floor(index / PER_FRAME);
    const note = (packets: readonly Uint8Array[]) => {
      for (const bytes of packets) {
        const found = sent.findIndex(({ datagram }) => datagram.join() === bytes.join());
        expect(found, 'a recovered packet must be one that was sent').toBeGreaterThanOrEqual(0);
        recovered[now]!.push(found);
      }
    };
    sender.onMedia(instant(now), packet);
    const isLost = frame(index);
    if (!isLost) note(receiver!.onMedia(instant(now), packet));
    for (;;) {
      const repair = sender.pollTransmit(instant(now));
      if (!repair) break;
      // The repair packets of a frame are lost with its last packet.
      if (!isLost) note(receiver!.onRedundancy(instant(now), repair, packet.sequence));
    }
  }
  return recovered;
}

test('a lost frame comes back by halves: V with the next frame, U with the one that is τ later', () => {
  const lost = (index: number) => Math.floor(index / PER_FRAME) === 5;
  const recovered = recoveredBy(lost, 0.5);
  expect(recovered[6]!.sort((one, other) => one - other)).toEqual([30, 32, 34]);
  expect(recovered[8]!.sort((one, other) => one - other)).toEqual([31, 33, 35]);
  expect(recovered.flat()).toHaveLength(6);
});

test('losses within a frame that its own repair packets cover come back with it', () => {
  const recovered = recoveredBy((index) => index === 31 || index === 32, 0.5);
  expect(recovered[5]!.sort((one, other) => one - other)).toEqual([31, 32]);
});

test('half of the repair packets bring back V of a lost frame a frame later, and never all of U', () => {
  const lost = (index: number) => Math.floor(index / PER_FRAME) === 5;
  const recovered = recoveredBy(lost, 0.25);
  expect(recovered[7]!.sort((one, other) => one - other)).toEqual([30, 32, 34]);
  expect(recovered.flat()).toHaveLength(3);
});

test('misses fewer frames than blocks of the same bytes when whole frames are lost', () => {
  const experiment = {
    forward: 'ge=4%/100% step=frame delay=50ms',
    back: 'delay=50ms',
    framesPerSecond: 30,
    packets: PER_FRAME,
    budgetMs: 170,
    redundancy: 0.5,
  } as const;
  const run = (strategy: 'tambur' | 'rs-block') => runExperiment({ ...experiment, strategy }, SEED, 2_000).row;
  const [tambur, block] = [run('tambur'), run('rs-block')];
  // A lost frame takes its own repair packets with it; the block code has nothing else.
  expect(block.missRatio).toBeGreaterThan(0.03);
  expect(tambur.missRatio).toBeLessThan(block.missRatio / 10);
});
