import { expect, test } from 'vitest';
import { RS_BLOCK } from '../../../lab/schemes/rs-block.ts';
import { blockFailure, packetResidual } from '../../../lab/validation/closed-forms/block-code.ts';
import { repairOverhead } from '../../../lab/validation/stream-simulations.ts';
import { instant } from '../../../protocol/base/units.ts';
import { asSequence } from '../../../protocol/rtp/sequence.ts';
import { mediaPackets, STREAM } from './media-packets.ts';
import { expectMissed, PACKETS, SEED } from './missed-frames.ts';

test.each([
  { k: 10, repairs: 1, loss: 0.05 },
  { k: 10, repairs: 2, loss: 0.1 },
  { k: 14, repairs: 2, loss: 0.05 },
  { k: 10, repairs: 5, loss: 0.2 },
])('$repairs repair packets for $k packets miss what an ideal code does at a loss of $loss', ({ k, repairs, loss }) => {
  const predicted = packetResidual({ packets: k + repairs, source: k }, loss);
  const path = { ...PACKETS, strategy: 'rs-block', forward: `loss=${loss * 100}% delay=20ms` } as const;
  expectMissed({ ...path, redundancy: repairs / k, parameters: { blockFrames: k } }, predicted, 10_000);
});

test('a frame is lost when more of its packets are than it has repair packets', () => {
  const experiment = {
    strategy: 'rs-block',
    forward: 'loss=10% delay=20ms',
    back: 'delay=20ms',
    framesPerSecond: 30,
    packets: 10,
    budgetMs: 100,
    redundancy: 0.3,
  } as const;
  expectMissed(experiment, blockFailure({ packets: 13, source: 10 }, 0.1), 3_000);
  // A repair packet is 20 bytes longer than the longest packet, which has all of its 24 bytes of headers.
  expect(repairOverhead(experiment, SEED, 300)).toBeCloseTo((0.3 * (1_100 + 24 + 20)) / 1_100, 1);
});

test('any five packets of a block of five and four recover it', () => {
  const [k, repairs] = [5, 4];
  const all = [...Array(k + repairs).keys()];
  for (let lost = 0; lost < 2 ** all.length; lost++) {
    const isLost = (index: number) => ((lost >> index) & 1) === 1;
    if (all.filter(isLost).length !== repairs) continue;
    const { sender, receiver } = RS_BLOCK.build({ redundancy: repairs / k, blockFrames: k }, STREAM);
    const sent = mediaPackets(k);
    const recovered: Uint8Array[] = [];
    for (const [index, packet] of sent.entries()) {
      sender.onMedia(instant(0), packet);
      if (!isLost(index)) recovered.push(...receiver!.onMedia(instant(0), packet));
    }
    for (const index of all.slice(k)) {
      const datagram = sender.pollTransmit(instant(0))!;
      if (!isLost(index)) recovered.push(...receiver!.onRedundancy(instant(0), datagram, asSequence(k - 1)));
    }
    expect(recovered, lost.toString(2)).toEqual(
      sent.filter((_, index) => isLost(index)).map(({ datagram }) => datagram),
    );
  }
});
