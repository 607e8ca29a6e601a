import { RENDITION_GROUP_SECONDS, renditionRates } from '../../protocol/rendition-choice.ts';
import { type PictureSize, ResolutionSteps } from '../encoder/resolution-steps.ts';
import type { RenditionEncoding } from '../ffmpeg/encoder.ts';

/** How the renditions of an input are encoded. */
export interface RenditionPlan {
  /** Bit rates, bits per second, ascending. */
  readonly rates: readonly number[];
  readonly encodings: readonly RenditionEncoding[];
  readonly preset: string;
  /** Length of a group of pictures, frames. */
  readonly gop: number;
}

/** Bits a luma sample beyond which a higher rate shows nothing more: SSIM 0.99 on a street. */
const BITS_MAX = 0.15;
/** Ratio of neighboring bit rates that is aimed at, and the bounds of their number. */
const RATIO = 2.5;
const COUNT_MIN = 3;
const COUNT_MAX = 5;

/**
 * Returns the plans for an input, from the best picture to the least work for the processor.
 * @param size of the picture as it is shown, luma samples.
 */
export function renditionPlans(
  size: PictureSize,
  framesPerSecond: number,
  range: { readonly min: number; readonly max: number },
): readonly RenditionPlan[] {
  const useful = BITS_MAX * size.width * size.height * framesPerSecond;
  const [min, max] = [range.min, Math.max(range.min, Math.min(range.max, useful))];
  const wanted = Math.ceil(Math.log(max / min) / Math.log(RATIO)) + 1;
  const count = max > min ? Math.min(COUNT_MAX, Math.max(COUNT_MIN, wanted)) : 1;
  const gop = Math.max(2, Math.round(framesPerSecond * RENDITION_GROUP_SECONDS));
  const plan = (renditions: number, preset: string, half = false): RenditionPlan => {
    const rates = renditionRates(min, max, renditions);
    const encodings = rates.map((bitrate) => {
      const steps = new ResolutionSteps(size, framesPerSecond);
      if (half) while (steps.limit());
      steps.begin(bitrate);
      return { bitrate, size: steps.size };
    });
    return { rates, encodings, preset, gop };
  };
  const fewest = Math.min(count, COUNT_MIN);
  return [
    plan(count, 'superfast'),
    plan(count, 'ultrafast'),
    ...(count > fewest ? [plan(fewest, 'ultrafast')] : []),
    plan(fewest, 'ultrafast', true),
  ];
}
