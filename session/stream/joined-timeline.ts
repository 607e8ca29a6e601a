import type { AccessUnit } from '../../protocol/access-unit.ts';
import { type Ticks, ticks } from '../../protocol/base/units.ts';

/** Gap between two sessions: one frame at 30 frames per second. */
const SESSION_GAP: Ticks = ticks(3_000);

/** Joins the media time of successive sessions, so that players and files see one stream. */
export class JoinedTimeline {
  #base: Ticks | undefined;
  #lastDecode: Ticks | undefined;

  /** True after the first access unit. */
  get started(): boolean {
    return this.#lastDecode !== undefined;
  }

  /** Starts another session with the next access unit. */
  begin(): void {
    this.#base = undefined;
  }

  /** Shifts a unit of the sound beside the pictures. */
  shiftSound(unit: AccessUnit): AccessUnit {
    const base = this.#baseFor(unit);
    const { timestamp, decodeTimestamp } = unit;
    return base === 0
      ? unit
      : { ...unit, timestamp: ticks(timestamp + base), decodeTimestamp: ticks(decodeTimestamp + base) };
  }

  shift(unit: AccessUnit): AccessUnit {
    const base = this.#baseFor(unit);
    this.#lastDecode = ticks(unit.decodeTimestamp + base);
    if (base === 0) return unit;
    return { ...unit, timestamp: ticks(unit.timestamp + base), decodeTimestamp: this.#lastDecode };
  }

  #baseFor(unit: AccessUnit): Ticks {
    this.#base ??=
      this.#lastDecode === undefined ? ticks(0) : ticks(this.#lastDecode + SESSION_GAP - unit.decodeTimestamp);
    return this.#base;
  }
}
