import type { Importance } from '../../protocol/access-unit.ts';
import { amountIn, elapsed, type Instant, type Microseconds, timeFor } from '../../protocol/base/units.ts';

export interface AdmissionTerms {
  /** Capacity of the path in bytes per second; `undefined` when unlimited. */
  readonly limit: number | undefined;
  /** Time that the frame takes through the bottleneck at least, where the limit does not tell; `undefined` while it is not known. */
  readonly waitMin?: Microseconds | undefined;
  /** Longest time that a frame may take through the bottleneck, queueing included. */
  readonly patience: Microseconds;
  readonly frameInterval: Microseconds;
  /** Bytes of earlier frames still in the pacer. */
  readonly waiting: number;
  /** True when frames are shown without their reference. */
  readonly showsDamaged: boolean;
}

interface Offered {
  readonly importance: Importance;
  /** Size on the wire. */
  readonly bytes: number;
}

/** Share of the patience available to a frame of each importance, so that more important ones keep a reserve. */
const SHARE: Readonly<Record<Exclude<Importance, 'key'>, number>> = { reference: 1, discardable: 0.6 };

/** When any frame is useful, the longest acceptable backlog as a share of a frame interval. */
const BACKLOG_MAX = 0.5;

/**
 * Decides which frames to send on a path that cannot carry all of them. Key frames are always sent; reference frames
 * when they arrive in time and leave room for the next key frame; discardable ones when there is time to spare. After a
 * withheld reference nothing can be decoded, so nothing is sent before the next key frame, unless damaged frames are
 * shown.
 */
export class FrameAdmission {
  /** Estimated backlog in front of the bottleneck, bytes. */
  #backlog = 0;
  #at: Instant | undefined;
  #chainBroken = false;
  #key: { readonly at: Instant; readonly bytes: number; readonly interval?: Microseconds } | undefined;

  /** @returns true when the frame should be sent. */
  admit(now: Instant, frame: Offered, terms: AdmissionTerms): boolean {
    this.#drain(now, terms.limit);
    const fits = isInTime(frame, terms) && (terms.limit === undefined || this.#fits(now, frame, terms.limit, terms));
    if (frame.importance === 'key') this.#noteKey(now, frame.bytes);
    else if (!fits || (this.#chainBroken && !terms.showsDamaged)) {
      if (frame.importance === 'reference') this.#chainBroken = true;
      return false;
    }
    return true;
  }

  /** Withholds a frame for another reason. @returns false. */
  refuse(importance: Importance): false {
    if (importance !== 'discardable') this.#chainBroken = true;
    return false;
  }

  /** Accounts for bytes of any kind that have left. */
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
    // A key frame that can never fit must not block all other frames.
    return leftAtKey === 0 || leftAtKey + through(keyBytes!) <= patience;
  }
}

function isInTime({ importance }: Offered, { waitMin, patience }: AdmissionTerms): boolean {
  return importance === 'key' || waitMin === undefined || waitMin <= patience * SHARE[importance];
}
