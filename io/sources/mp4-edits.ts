import type { Edit } from '../mp4/mp4-structure.ts';

/** A sample with times on the media timeline, seconds. */
export interface MediaSample {
  readonly mediaTime: number;
  readonly duration: number;
}

/** A sample with its presentation time, seconds from the start of the presentation. */
export interface Placed<Sample> {
  readonly sample: Sample;
  readonly shownAt: number;
  /** True when the edit list cuts the sample, but other samples may refer to it. */
  readonly decodeOnly: boolean;
}

/**
 * Returns the edits of a presentation that begins at `from`, seconds; without edits, `from` is a media time.
 */
export function editsFrom(edits: readonly Edit[], from: number): readonly Edit[] {
  if (edits.length === 0) return [{ start: 0, duration: Number.POSITIVE_INFINITY, mediaTime: from }];
  const later = edits.filter(({ start, duration }) => start + duration > from);
  if (later.length === 0) return [{ start: 0, duration: 0, mediaTime: undefined }];
  return later.map(({ start, duration, mediaTime }) => {
    const cut = Math.max(0, from - start);
    return {
      start: Math.max(0, start - from),
      duration: duration - cut,
      mediaTime: mediaTime === undefined ? undefined : mediaTime + cut,
    };
  });
}

/** Limit of frames decoded before a frame and shown after it (H.264 §A.3.1). */
const REORDER_FRAMES_MAX = 16;
/** Tolerance at the end of an edit, seconds: durations are in ticks of the movie, often milliseconds. */
const END_TOLERANCE = 0.001;
/** Tolerance at the start of an edit, seconds: below one tick of the track, the unit of the start. */
const START_TOLERANCE = 0.000_005;

/**
 * Applies an edit list (ISO/IEC 14496-12 §8.6.6). Each edit reads the media from the last sync sample before it. A
 * sample that is cut is yielded as `decodeOnly` when a shown sample may refer to it.
 *
 * Pictures cut before the first edit keep their spacing, so that a sender needs no more than the media rate for them.
 * Pictures cut before a later edit are compressed in time, to fit between two shown frames.
 *
 * @param read yields samples in decode order, from the last sync sample at or before a media time.
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
      // Yielded only when a shown sample follows.
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
