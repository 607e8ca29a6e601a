import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { locateFfmpeg } from '../../../io/ffmpeg/ffmpeg-locator.ts';
import { compareStreams, openComparer } from '../../../lab/quality/compare-streams.ts';
import { planSlots } from '../../../lab/quality/slot-plan.ts';
import { pictureFormat, slotStream } from '../../../lab/quality/slot-stream.ts';
import { microseconds } from '../../../protocol/base/units.ts';
import { temporaryFolder, withFfmpeg } from '../../io/sources/media.ts';
import { sampleUnits } from '../../sample-units.ts';
import { BUDGET, madeFrames } from './made-frames.ts';

/** Two seconds with key frames 0 and 30; all pictures differ. */
const units = sampleUnits().slice(0, 60);
const format = pictureFormat(units)!;

async function compared(fates: Parameters<typeof madeFrames>[1]) {
  const comparer = await openComparer(await locateFfmpeg());
  const stream = (frames: ReturnType<typeof madeFrames>) => {
    const plan = planSlots(frames, units, microseconds(BUDGET));
    return { plan, stream: plan.decoded.length === 0 ? undefined : slotStream(plan.decoded, units, format) };
  };
  const folder = temporaryFolder();
  const shown = stream(madeFrames(units, fates));
  const streams = { shown, source: stream(madeFrames(units)), format };
  const scores = await compareStreams(comparer, streams, { folder: join(folder, 'work'), name: 'test' });
  expect(readdirSync(folder)).toEqual([]);
  const differing = [...scores.keys()].filter((slot) => scores[slot]!.psnr !== Number.POSITIVE_INFINITY);
  return { scores, differing, onScreen: shown.plan.onScreen };
}
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

describe('streams of the same source', () => {
  withFfmpeg('are identical in every slot without loss', async () => {
    const { scores, differing } = await compared({});
    expect(scores).toHaveLength(units.length);
    expect(differing).toEqual([]);
    expect(new Set(scores.map(({ ssim }) => ssim))).toEqual(new Set([1]));
  });

  withFfmpeg('differ only in the slot of a missing unreferenced picture', async () => {
    expect((await compared({ lost: [29] })).differing).toEqual([29]);
    expect((await compared({ lost: [59] })).differing).toEqual([59]);
  });

  withFfmpeg('frozen: differ increasingly from the lost picture to the next key frame', async () => {
    const { scores, differing, onScreen } = await compared({ lost: range(10, 30) });
    expect(differing).toEqual(range(10, 30));
    expect([...onScreen.subarray(10, 30)]).toEqual(range(10, 30).map(() => 9));
    expect(scores[10]!.psnr).toBeGreaterThan(scores[20]!.psnr);
    expect(scores[10]!.ssim).toBeGreaterThan(scores[29]!.ssim);
  });

  withFfmpeg('smeared: show damaged pictures from the loss to the next key frame', async () => {
    const frozen = await compared({ lost: range(10, 30) });
    const smeared = await compared({ lost: [10] });
    expect(smeared.differing).toEqual(range(10, 30));
    expect([...smeared.onScreen.subarray(11, 30)]).toEqual(range(11, 30));
    expect(smeared.scores[10]).toEqual(frozen.scores[10]);
    expect(smeared.scores[29]!.psnr).toBeGreaterThan(frozen.scores[29]!.psnr);
  });

  withFfmpeg('late: differ while the pictures are late, and are identical afterwards', async () => {
    const { differing, onScreen } = await compared({ lateBy: { 40: 100_000, 41: 90_000, 42: 50_000, 43: 20_000 } });
    expect(differing).toEqual([40, 41, 42, 43]);
    expect([...onScreen.subarray(40, 45)]).toEqual([39, 39, 39, 42, 44]);
  });

  withFfmpeg('are compared with a black screen before the first picture, and always if there is none', async () => {
    expect((await compared({ lost: range(0, 30) })).differing).toEqual(range(0, 30));
    const never = await compared({ lost: range(0, 60) });
    expect(never.differing).toEqual(range(0, 60));
    expect(Math.max(...never.scores.map(({ psnr }) => psnr))).toBeLessThan(12);
  });
});
