import type { AccessUnit } from '../../protocol/access-unit.ts';
import {
  elapsed,
  type Instant,
  later,
  type Microseconds,
  microseconds,
  microsecondsToTicks,
  milliseconds,
  seconds,
  type Ticks,
  ticks,
  ticksToMicroseconds,
} from '../../protocol/base/units.ts';

/** Difference between the advance of the source's clock and of ours above which its times have jumped. */
const JUMP: Microseconds = seconds(2);
/** Silence after which the source's clock may have stood still. */
const STALL: Microseconds = seconds(1);
/** Time after a stall in which a source that has only sent late catches up. */
const CATCH_UP: Microseconds = seconds(2);
/** Lateness that remains after that time and is taken for a clock that stood still. */
const LATE_MAX: Microseconds = milliseconds(300);

const INFINITE: Microseconds = microseconds(Number.POSITIVE_INFINITY);

/** Why the times of a live source were moved. */
export type TimelineNotice =
  | { readonly kind: 'jumped'; readonly by: Microseconds }
  | { readonly kind: 'stood-still'; readonly for: Microseconds };

/**
 * The times of a live source, which are its own: they follow its clock, whatever its rate. They are moved only where
 * that clock begins anew, jumps, or has stood still, so that the stream goes on at the time at which the picture came.
 */
export class LiveTimeline {
  #base: Ticks | undefined;
  #last: { readonly at: Instant; readonly decodeTimestamp: Ticks } | undefined;
  /** Lead of our clock over the times, at the earliest picture so far. */
  #fastest: Microseconds = INFINITE;
  #afterStall: { readonly until: Instant; fastest: Microseconds } | undefined;
  #notice: TimelineNotice | undefined;

  /** The source has begun anew: its next picture has a time of another clock. */
  restart(): void {
    this.#base = undefined;
    this.#fastest = INFINITE;
    this.#afterStall = undefined;
  }

  /** Why the last picture's time was moved; once. */
  takeNotice(): TimelineNotice | undefined {
    const notice = this.#notice;
    this.#notice = undefined;
    return notice;
  }

  /** Returns a picture that has come now, with its time in the stream. */
  place(now: Instant, unit: AccessUnit): AccessUnit {
    const last = this.#last;
    const passed = last ? elapsed(last.at, now) : microseconds(0);
    if (this.#base === undefined) {
      const begin = last ? ticks(last.decodeTimestamp + Math.max(1, microsecondsToTicks(passed))) : ticks(0);
      this.#base = ticks(begin - unit.decodeTimestamp);
    }
    let decodeTimestamp = ticks(unit.decodeTimestamp + this.#base);
    if (last) {
      const advance = ticksToMicroseconds(ticks(decodeTimestamp - last.decodeTimestamp));
      if (advance < 0 || advance - passed > JUMP) {
        const by = microseconds(Math.max(1, passed) - advance);
        decodeTimestamp = this.#move(unit, by);
        this.#notice = { kind: 'jumped', by: microseconds(-by) };
      } else if (passed > STALL) this.#afterStall = { until: later(now, CATCH_UP), fastest: INFINITE };
    }
    decodeTimestamp = this.#checkStall(now, unit, decodeTimestamp);
    this.#fastest = microseconds(Math.min(this.#fastest, now - ticksToMicroseconds(decodeTimestamp)));
    this.#last = { at: now, decodeTimestamp };
    const shift = decodeTimestamp - unit.decodeTimestamp;
    return shift === 0 ? unit : { ...unit, timestamp: ticks(unit.timestamp + shift), decodeTimestamp };
  }

  /** Moves the times when a source is still late after it has had the time to catch up: then its clock stood still. */
  #checkStall(now: Instant, unit: AccessUnit, decodeTimestamp: Ticks): Ticks {
    const stall = this.#afterStall;
    if (!stall) return decodeTimestamp;
    stall.fastest = microseconds(Math.min(stall.fastest, now - ticksToMicroseconds(decodeTimestamp)));
    if (now < stall.until) return decodeTimestamp;
    this.#afterStall = undefined;
    const late = microseconds(stall.fastest - this.#fastest);
    if (late <= LATE_MAX) return decodeTimestamp;
    this.#notice = { kind: 'stood-still', for: late };
    this.#fastest = stall.fastest;
    return this.#move(unit, late);
  }

  #move(unit: AccessUnit, by: Microseconds): Ticks {
    this.#base = ticks(this.#base! + microsecondsToTicks(by));
    return ticks(unit.decodeTimestamp + this.#base);
  }
}
