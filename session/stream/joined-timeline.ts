import type { AccessUnit } from '../../protocol/access-unit.ts';
import type { Ticks } from '../../protocol/base/instant.ts';

/** One frame at 30 a second, between the last of one session and the first of the next. */
const SESSION_GAP: Ticks = 3_000;

/** Media time goes on where the session before ended, so that players and files see one stream. */
export class JoinedTimeline {
  #base: Ticks | undefined;
  #lastDecode: Ticks | undefined;

  /** Whether anything has come at all. */
  get started(): boolean {
    return this.#lastDecode !== undefined;
  }

  /** Another session begins: the next access unit is its first. */
  begin(): void {
    this.#base = undefined;
  }

  shift(unit: AccessUnit): AccessUnit {
    this.#base ??= this.#lastDecode === undefined ? 0 : this.#lastDecode + SESSION_GAP - unit.decodeTimestamp;
    const base = this.#base;
    this.#lastDecode = unit.decodeTimestamp + base;
    if (base === 0) return unit;
    return { ...unit, timestamp: unit.timestamp + base, decodeTimestamp: this.#lastDecode };
  }
}
