import { DURATIONS_AVERAGED, DurationWindow } from '../../protocol/base/duration-window.ts';
import type { Instant, Microseconds } from '../../protocol/base/instant.ts';

/** How often the picture froze, and the sum of the frame durations in which it did (whole ones, not the excess). */
export interface Freezes {
  readonly count: number;
  readonly duration: Microseconds;
}

const INCREASE: Microseconds = 150_000;
/** W3C webrtc-stats, `pauseCount`: a pause is more than five seconds without a frame. */
const PAUSE: Microseconds = 5_000_000;
const LIBWEBRTC_SAMPLES_MIN = 5;

/**
 * W3C webrtc-stats, `freezeCount`: a frame duration that is at least the larger of 3·avg and avg + 150 ms, where avg is
 * the mean of the (up to 30) durations before it. The interval between the first two frames has nothing to exceed.
 */
export function w3cFreezes(renderedAt: readonly Instant[] | Float64Array): Freezes {
  return count(renderedAt, (duration, before) => {
    if (before.length === 0) return false;
    const average = before.mean();
    return duration >= Math.max(3 * average, average + INCREASE);
  });
}

/** W3C webrtc-stats, `pauseCount` and `totalPausesDuration`. A pause is a freeze as well. */
export function w3cPauses(renderedAt: readonly Instant[] | Float64Array): Freezes {
  return count(renderedAt, (duration) => duration > PAUSE);
}

/**
 * libwebrtc's `VideoQualityObserver`: in whole milliseconds, the duration itself is one of the 30 that are averaged, the
 * mean is rounded down, five of them are needed, and what is a pause is left out of it all.
 */
export function libwebrtcFreezes(renderedAt: readonly Instant[] | Float64Array): Freezes {
  const window = new DurationWindow();
  let freezes = 0;
  let total = 0;
  for (let i = 1; i < renderedAt.length; i++) {
    const duration = Math.floor(renderedAt[i]! / 1_000) - Math.floor(renderedAt[i - 1]! / 1_000);
    if (duration * 1_000 > PAUSE) continue;
    window.push(duration);
    if (window.length < LIBWEBRTC_SAMPLES_MIN) continue;
    const average = Math.floor(window.mean());
    if (duration < Math.max(3 * average, average + INCREASE / 1_000)) continue;
    freezes++;
    total += duration * 1_000;
  }
  return { count: freezes, duration: total };
}

/** Tambur's plots: strictly more than the larger of 3·avg and avg + 150 ms, once 30 durations have gone before. */
export function tamburFreezes(renderedAt: readonly Instant[] | Float64Array): Freezes {
  return count(renderedAt, (duration, before) => {
    if (before.length < DURATIONS_AVERAGED) return false;
    const average = before.mean();
    return duration > Math.max(3 * average, average + INCREASE);
  });
}

/** Where the picture stood still for longer than a frame lasts. */
export interface Stalls {
  readonly stalled: Microseconds;
  readonly watched: Microseconds;
}

/**
 * Stalled time of a live viewer, who skips what was missed: of every interval between two pictures (and of the first
 * and the last to the ends of what was watched) the part beyond one frame's duration.
 * @param watched from when to when pictures were to be shown.
 */
export function stalls(
  renderedAt: readonly Instant[] | Float64Array,
  watched: { readonly from: Instant; readonly to: Instant },
  framePeriod: Microseconds,
): Stalls {
  let stalled = 0;
  // Until the first picture there is none at all: that wait counts in full.
  let shownUntil = watched.from;
  for (const at of renderedAt) {
    if (at > watched.to) break;
    stalled += Math.max(0, at - shownUntil);
    shownUntil = Math.max(shownUntil, at + framePeriod);
  }
  stalled += Math.max(0, watched.to - shownUntil);
  return { stalled, watched: Math.max(0, watched.to - watched.from) };
}

function count(
  renderedAt: readonly Instant[] | Float64Array,
  isFrozen: (duration: Microseconds, before: DurationWindow) => boolean,
): Freezes {
  const window = new DurationWindow();
  let freezes = 0;
  let total = 0;
  for (let i = 1; i < renderedAt.length; i++) {
    const duration = renderedAt[i]! - renderedAt[i - 1]!;
    if (isFrozen(duration, window)) {
      freezes++;
      total += duration;
    }
    window.push(duration);
  }
  return { count: freezes, duration: total };
}
