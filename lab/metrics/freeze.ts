import { DURATIONS_AVERAGED, DurationWindow } from '../../protocol/base/duration-window.ts';
import {
  type Instant,
  inMilliseconds,
  instant,
  type Microseconds,
  microseconds,
  milliseconds,
  seconds,
} from '../../protocol/base/units.ts';

/** Number of freezes, and the sum of the frame durations in which they occurred (in full, not the excess). */
export interface Freezes {
  readonly count: number;
  readonly duration: Microseconds;
}

const INCREASE: Microseconds = milliseconds(150);
/** A pause is more than five seconds without a frame (W3C webrtc-stats, `pauseCount`). */
const PAUSE: Microseconds = seconds(5);
const LIBWEBRTC_SAMPLES_MIN = 5;

/**
 * Freezes by W3C webrtc-stats (`freezeCount`): a frame duration of at least max(3·avg, avg + 150 ms), where avg is the
 * mean of up to 30 preceding durations. The first interval has no predecessor and never counts.
 */
export function w3cFreezes(renderedAt: readonly number[] | Float64Array): Freezes {
  return count(renderedAt, (duration, before) => {
    if (before.length === 0) return false;
    const average = before.mean();
    return duration >= Math.max(3 * average, average + INCREASE);
  });
}

/** Pauses by W3C webrtc-stats (`pauseCount`, `totalPausesDuration`). A pause is also a freeze. */
export function w3cPauses(renderedAt: readonly number[] | Float64Array): Freezes {
  return count(renderedAt, (duration) => duration > PAUSE);
}

/**
 * Freezes by libwebrtc's `VideoQualityObserver`: in whole milliseconds, with the duration itself among the 30 that are
 * averaged, the mean rounded down, at least five durations, and pauses excluded.
 */
export function libwebrtcFreezes(renderedAt: readonly number[] | Float64Array): Freezes {
  const window = new DurationWindow();
  let freezes = 0;
  let total = microseconds(0);
  for (let i = 1; i < renderedAt.length; i++) {
    const durationMs = Math.floor(renderedAt[i]! / 1_000) - Math.floor(renderedAt[i - 1]! / 1_000);
    if (milliseconds(durationMs) > PAUSE) continue;
    window.push(durationMs);
    if (window.length < LIBWEBRTC_SAMPLES_MIN) continue;
    const average = Math.floor(window.mean());
    if (durationMs < Math.max(3 * average, average + inMilliseconds(INCREASE))) continue;
    freezes++;
    total = microseconds(total + milliseconds(durationMs));
  }
  return { count: freezes, duration: total };
}

/** Freezes as in Tambur's plots: strictly more than max(3·avg, avg + 150 ms), after 30 durations. */
export function tamburFreezes(renderedAt: readonly number[] | Float64Array): Freezes {
  return count(renderedAt, (duration, before) => {
    if (before.length < DURATIONS_AVERAGED) return false;
    const average = before.mean();
    return duration > Math.max(3 * average, average + INCREASE);
  });
}

/** Time for which a picture was shown beyond one frame period. */
export interface Stalls {
  readonly stalled: Microseconds;
  readonly watched: Microseconds;
}

/**
 * Stalled time of a live viewer who skips missed frames: the part of each interval between two pictures (and at both
 * ends of the watched interval) that exceeds one frame period.
 *
 * @param watched interval in which pictures were due.
 */
export function stalls(
  renderedAt: readonly number[] | Float64Array,
  watched: { readonly from: Instant; readonly to: Instant },
  framePeriod: Microseconds,
): Stalls {
  let stalled = 0;
  // The wait for the first picture counts in full.
  let shownUntil = watched.from;
  for (const at of renderedAt) {
    if (at > watched.to) break;
    stalled += Math.max(0, at - shownUntil);
    shownUntil = instant(Math.max(shownUntil, at + framePeriod));
  }
  stalled += Math.max(0, watched.to - shownUntil);
  return { stalled: microseconds(stalled), watched: microseconds(Math.max(0, watched.to - watched.from)) };
}

function count(
  renderedAt: readonly number[] | Float64Array,
  isFrozen: (duration: Microseconds, before: DurationWindow) => boolean,
): Freezes {
  const window = new DurationWindow();
  let freezes = 0;
  let total = microseconds(0);
  for (let i = 1; i < renderedAt.length; i++) {
    const duration = microseconds(renderedAt[i]! - renderedAt[i - 1]!);
    if (isFrozen(duration, window)) {
      freezes++;
      total = microseconds(total + duration);
    }
    window.push(duration);
  }
  return { count: freezes, duration: total };
}
