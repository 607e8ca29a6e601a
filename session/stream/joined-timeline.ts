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

  shift(unit: AccessUnit): AccessUnit {
    this.#base ??=
      this.#lastDecode === undefined ? ticks(0) : ticks(this.#lastDecode + SESSION_GAP - unit.decodeTimestamp);
    const base = this.#base;
    this.#lastDecode = ticks(unit.decodeTimestamp + base);
    if (base === 0) return unit;
    return { ...unit, timestamp: ticks(unit.timestamp + base), decodeTimestamp: this.#lastDecode };
  }
}
