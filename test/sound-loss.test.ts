import { expect, test } from 'vitest';
import { codecByName } from '../protocol/codec/codecs.ts';
import { UnlimitedRate } from '../sender/rate/unlimited-rate.ts';
import { runSession } from './simulated-session.ts';

const OPUS = codecByName('opus');
const SEEDS = 6;
const UNITS = 3_000;

/** Six minutes of sound in units of 20 ms, over 5 % loss in runs of 2 and 30 ms each way, at 150 ms. */
function run(bytes: number) {
  const sum = { units: 0, lost: 0, media: 0, redundancy: 0 };
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { receiver, sender } = runSession({
      forward: `loss=5% burst=2 delay=30ms seed=${seed}`,
      latencyMs: 150,
      stream: {
        ...{ codec: OPUS, framesPerSecond: 50, keyInterval: 1, frames: UNITS },
        ...{ frameBytes: bytes, keyFrameBytes: bytes },
      },
      parameters: { codec: OPUS },
      sender: { rate: () => new UnlimitedRate() },
    });
    const { frames } = receiver.statistics;
    const { bytes: media, retransmissionBytes, repairBytes } = sender.statistics;
    sum.units += frames.decided;
    sum.lost += frames.decided - frames.onTime - frames.recovered;
    sum.media += media;
    sum.redundancy += retransmissionBytes + repairBytes;
  }
  return sum;
}

test.each([160, 320])(
  'sound of %i bytes a unit loses at most one in 2,000 on a lossy path, for less than a third more bytes',
  (bytes) => {
    const { units, lost, media, redundancy } = run(bytes);
    expect(units).toBe(SEEDS * UNITS);
    expect(lost / units).toBeLessThanOrEqual(0.0005);
    expect(redundancy / media).toBeLessThan(0.3);
  },
);
