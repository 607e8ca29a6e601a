import { type Instant, type Microseconds, microseconds, milliseconds } from '../../protocol/base/units.ts';
import type { PathNotice } from '../../protocol/rtcp/recovery-notice.ts';

/** Loss assumed for the first packets: that of a poor but usable path, because the first key frame is worth the most. */
const LOSS = 0.05;
/** The assumed loss is halved after each step, and is 0 after the last: one second after the first packet. */
const STEP: Microseconds = milliseconds(200);
const STEPS = 5;

/**
 * Path that the sender protects against. Nothing is known of it before the first notice, and its loss is known only
 * roughly for some time after that, but a stream starts with a key frame, without which no other can be shown. In the
 * first second a loss is therefore assumed that falls to 0, and until the answer time is known, that no answer comes in
 * time.
 */
export class AssumedPath {
  readonly #latency: Microseconds;
  #startedAt: Instant | undefined;
  #cached: { readonly noted: PathNotice | undefined; readonly step: number; readonly path: PathNotice } | undefined;

  /** @param latency play-out delay of the receiver, as agreed. */
  constructor(latency: Microseconds) {
    this.#latency = latency;
  }

  /** @param noted last notice. @returns the same object as before while nothing has changed. */
  at(now: Instant, noted: PathNotice | undefined): PathNotice | undefined {
    this.#startedAt ??= now;
    const step = Math.floor((now - this.#startedAt) / STEP);
    if (step >= STEPS) return noted;
    const cached = this.#cached;
    if (cached?.noted === noted && cached?.step === step) return cached.path;
    const known = noted ?? { ...UNKNOWN, latency: this.#latency };
    const loss = Math.max(known.loss, LOSS / 2 ** step);
    const path = { ...known, loss, answerTime: known.answerTime || known.latency };
    this.#cached = { noted, step, path };
    return path;
  }
}

const UNKNOWN: Omit<PathNotice, 'latency'> = {
  kind: 'path',
  answerTime: microseconds(0),
  loss: 0,
  burst: 1,
  recentLoss: 0,
  queueing: microseconds(0),
  showsDamaged: false,
  spacing: microseconds(0),
};
