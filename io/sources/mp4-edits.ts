import type { Edit } from '../mp4/mp4-structure.ts';

/** A sample on the media's own time line, seconds. */
export interface MediaSample {
  readonly mediaTime: number;
  readonly duration: number;
}

/** When a sample is shown, seconds from the presentation's beginning. */
export interface Placed<Sample> {
  readonly sample: Sample;
  readonly shownAt: number;
  /** The sample is cut away, but others refer to it. */
  readonly decodeOnly: boolean;
}

/** H.264 §A.3.1: so many frames, and no more, are decoded before one and shown after it. */
const REORDER_FRAMES_MAX = 16;
/** The list counts in ticks of the movie, often milliseconds. */
const END_TOLERANCE = 0.001;
/** The list counts the beginning in ticks of the track; this is below one. */
const START_TOLERANCE = 0.000_005;

/**
 * Obeys an edit list (ISO/IEC 14496-12 §8.6.6). Each edit reads the media from the last sync sample before it. What is
 * cut away is decoded where something that is shown may refer to it: it comes as `decodeOnly`.
 *
 * At the first edit, the pictures before it keep their distances, so that a sender needs no more than the rate of the
 * film for them. At a later one they have to fit between two frames that are shown.
 *
 * @param read gives the samples in decode order, from the last one before the media time at which decoding can start.
 */
export async function* applyEdits<Sample extends MediaSample>(
  edits: readonly Edit[],
  read: (from: number) => AsyncIterable<Sample>,
): AsyncGenerator<Placed<Sample>> {
  if (edits.length === 0) {
    for await (const sample of read(Number.NEGATIVE_INFINITY)) {
      yield { sample, shownAt: sample.mediaTime, decodeOnly: false };
    }
  }
  let isFirst = true;
  for (const { start, duration, mediaTime } of edits) {
    if (mediaTime === undefined) continue;
    yield* readEdit({ start, end: mediaTime + duration, mediaTime, isFirst }, read(mediaTime));
    isFirst = false;
  }
}

async function* readEdit<Sample extends MediaSample>(
  edit: { readonly start: number; readonly end: number; readonly mediaTime: number; readonly isFirst: boolean },
  samples: AsyncIterable<Sample>,
): AsyncGenerator<Placed<Sample>> {
  const { start, end, mediaTime, isFirst } = edit;
  let scale: number | undefined = isFirst ? 1 : undefined;
  let behind: Sample[] = [];
  for await (const sample of samples) {
    const { duration } = sample;
    const from = sample.mediaTime - mediaTime;
    if (sample.mediaTime >= end - Math.min(END_TOLERANCE, duration / 2)) {
      // Decoded only if something follows that is shown.
      behind.push(sample);
      if (behind.length > REORDER_FRAMES_MAX) return;
      continue;
    }
    for (const [index, late] of behind.entries()) {
      const room = late.duration / (REORDER_FRAMES_MAX + 2);
      yield { sample: late, shownAt: start + end - mediaTime - room * (index + 1), decodeOnly: true };
    }
    behind = [];
    const decodeOnly = from < -START_TOLERANCE;
    if (decodeOnly) scale ??= Math.min(1, duration / 2 / -from);
    yield { sample, shownAt: start + from * (decodeOnly ? scale! : 1), decodeOnly };
  }
}
