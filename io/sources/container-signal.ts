import type { InputVideoTrack } from 'mediabunny';
import type { Codec } from '../../protocol/codec/codec.ts';
import { COLOR_UNSPECIFIED, type SampleAspect, type VideoSignal } from '../../protocol/codec/nal/video-signal.ts';
import { nalStreamOf } from '../../protocol/codec/nal-streams.ts';

/** Code points of ITU-T H.273 by the names of WebCodecs. */
const PRIMARIES: Readonly<Record<string, number>> = { bt709: 1, bt470bg: 5, smpte170m: 6, bt2020: 9, smpte432: 12 };
const TRANSFERS: Readonly<Record<string, number>> = {
  ...{ bt709: 1, smpte170m: 6, linear: 8, 'iec61966-2-1': 13, pq: 16, hlg: 18 },
};
const MATRICES: Readonly<Record<string, number>> = { rgb: 0, bt709: 1, bt470bg: 5, smpte170m: 6, 'bt2020-ncl': 9 };

/** Relative difference below which two aspect ratios are one: containers round the width on the screen to samples. */
const ASPECT_TOLERANCE = 0.004;
/** Widest value of sar_width. */
const ASPECT_MAX = 0xffff;

/** Returns what a container says about how the pictures of a track are shown; never rejects. */
export async function signalOf(track: InputVideoTrack): Promise<VideoSignal> {
  try {
    const { num, den } = await track.getPixelAspectRatio();
    const { primaries, transfer, matrix, fullRange } = await track.getColorSpace();
    const codes = {
      primaries: (primaries && PRIMARIES[primaries]) ?? COLOR_UNSPECIFIED,
      transfer: (transfer && TRANSFERS[transfer]) ?? COLOR_UNSPECIFIED,
      matrix: (matrix && MATRICES[matrix]) ?? COLOR_UNSPECIFIED,
    };
    const isColored = Object.values(codes).some((code) => code !== COLOR_UNSPECIFIED);
    const isAspect = num > 0 && den > 0 && Math.max(num, den) <= ASPECT_MAX && num !== den;
    return {
      ...(isAspect && { sampleAspect: { width: num, height: den } }),
      ...(isColored && { color: codes }),
      ...(fullRange === true && { isFullRange: true }),
    };
  } catch {
    return {};
  }
}

/**
 * Returns a sequence parameter set with what the container says: the shape of samples in any case, as players follow the
 * container, and the colors where the stream itself does not say.
 */
export function withContainerSignal(codec: Codec, set: Uint8Array, container: VideoSignal): Uint8Array {
  const own = codec.describe([set])?.signal ?? {};
  const { sampleAspect, color, isFullRange } = container;
  const wanted: VideoSignal = {
    ...(sampleAspect && !isSameAspect(own.sampleAspect, sampleAspect) && { sampleAspect }),
    ...(color && !own.color && { color, ...(isFullRange && { isFullRange }) }),
  };
  return Object.keys(wanted).length === 0 ? set : nalStreamOf(codec).withSignal(set, wanted);
}

function isSameAspect(own: SampleAspect = { width: 1, height: 1 }, other: SampleAspect): boolean {
  const ratio = (own.width * other.height) / (own.height * other.width);
  return Math.abs(ratio - 1) < ASPECT_TOLERANCE;
}
