import type { Importance } from '../../protocol/access-unit.ts';
import { amountIn, elapsed, type Instant, type Microseconds, timeFor } from '../../protocol/base/units.ts';

export interface AdmissionTerms {
  /** Bytes a second that the path carries; `undefined`: all that comes. */
  readonly limit: number | undefined;
  /** How long a frame may take to get through the bottleneck, its time in the queue before it included. */
  readonly patience: Microseconds;
  readonly frameInterval: Microseconds;
  /** Bytes of frames before it that are still to leave. */
  readonly waiting: number;
  /** Whether a frame is of use whose reference is missing. */
  readonly showsDamaged: boolean;
}

interface Offered {
  readonly importance: Importance;
  /** What the frame takes on the wire. */
  readonly bytes: number;
}

/** The share of the patience that a frame may use up, so that there is some left for those that matter more. */
const SHARE: Readonly<Record<Exclude<Importance, 'key'>, number>> = { reference: 1, discardable: 0.6 };

/** Where any frame will do, none has to wait for another longer than this share of a frame interval. */
const BACKLOG_MAX = 0.5;

/**
 * Which frames to send on a path that does not carry them all: what is not sent can not take others with it. Key frames
 * always; frames that others refer to while they get through in time, and leave room for the key frame that is next;
 * discardable ones where there is time to spare. Behind a reference that was withheld nothing can be decoded, and so
 * nothing is sent before the next key frame, unless damage is shown.
 */
export class FrameAdmission {
  /** What waits before the bottleneck, as far as what was sent tells. */
  #backlog = 0;
  #at: Instant | undefined;
  #chainBroken = false;
  #key: { readonly at: Instant; readonly bytes: number; readonly interval?: Microseconds } | undefined;

  /** @returns whether to send the frame. */
  admit(now: Instant, frame: Offered, terms: AdmissionTerms): boolean {
    this.#drain(now, terms.limit);
    const fits = terms.limit === undefined || this.#fits(now, frame, terms.limit, terms);
    if (frame.importance === 'key') this.#noteKey(now, frame.bytes);
    else if (!fits || (this.#chainBroken && !terms.showsDamaged)) {
      if (frame.importance === 'reference') this.#chainBroken = true;
      return false;
    }
    return true;
  }

  /** Bytes of any kind have left. */
  spend(bytes: number): void {
    this.#backlog += bytes;
  }

  #drain(now: Instant, limit: number | undefined): void {
    const passed = elapsed(this.#at ?? now, now);
    this.#backlog = limit === undefined ? 0 : Math.max(0, this.#backlog - amountIn(passed, limit));
    this.#at = now;
  }

  #noteKey(now: Instant, bytes: number): void {
    const before = this.#key;
    this.#key = { at: now, bytes, ...(before && { interval: elapsed(before.at, now) }) };
    this.#chainBroken = false;
  }

  #fits(now: Instant, { importance, bytes }: Offered, limit: number, terms: AdmissionTerms): boolean {
    if (importance === 'key') return true;
    const { patience, frameInterval, waiting, showsDamaged } = terms;
    const through = (some: number): Microseconds => timeFor(some, limit);
    const before = this.#backlog + waiting;
    if (showsDamaged && through(before) > frameInterval * BACKLOG_MAX) return false;
    if (through(before + bytes) > patience * SHARE[importance]) return false;
    const { at, bytes: keyBytes, interval } = this.#key ?? {};
    if (at === undefined || interval === undefined || now >= at + interval) return true;
    const leftAtKey = Math.max(0, through(before + bytes) - (at + interval - now));
    // A key frame that never fits is no reason to send nothing else.
    return leftAtKey === 0 || leftAtKey + through(keyBytes!) <= patience;
  }
}
