import type { AccessUnit } from '../../protocol/access-unit.ts';
import { type Ticks, ticks } from '../../protocol/base/units.ts';

/** Limits of the retained pictures: a key frame distance of ten seconds at 60 frames per second, and 16 Mb/s of it. */
const UNITS_MAX = 600;
const BYTES_MAX = 20_000_000;
/** The pictures before the present are shown this many times faster: those of a second in 63 ms. */
const CATCH_UP_SPEED = 16;

/**
 * The pictures since the last key frame, so that a viewer joins at once instead of at the next one. None are retained
 * while there are more than the limits, as in a stream whose key frames are made on request.
 */
export class RecentGroup {
  #units: AccessUnit[] = [];
  #bytes = 0;
  /** Decode time of the last picture: everything that follows is decoded, and shown, at this time or later. */
  #present: Ticks | undefined;

  /** Decode time of the last picture; `undefined` before the first one. */
  get present(): Ticks | undefined {
    return this.#present;
  }

  add(unit: AccessUnit): void {
    this.#present = unit.decodeTimestamp;
    if (unit.importance === 'key') {
      this.#units = [];
      this.#bytes = 0;
    } else if (this.#units.length === 0) return;
    for (const part of unit.parts) this.#bytes += part.length;
    this.#units.push(unit);
    if (this.#units.length > UNITS_MAX || this.#bytes > BYTES_MAX) this.#units = [];
  }

  clear(): void {
    this.#units = [];
    this.#bytes = 0;
    this.#present = undefined;
  }

  /**
   * Returns the retained pictures with their times before the present compressed, in the same order: the viewer's
   * decoder catches up at once, and the viewer is not late by the age of the key frame. Empty: wait for a key frame.
   */
  caughtUp(): AccessUnit[] {
    const present = this.#present;
    if (present === undefined) return [];
    const compressed = (time: Ticks): Ticks =>
      time >= present ? time : ticks(present - Math.ceil((present - time) / CATCH_UP_SPEED));
    return this.#units.map((unit) => ({
      ...unit,
      timestamp: compressed(unit.timestamp),
      decodeTimestamp: compressed(unit.decodeTimestamp),
    }));
  }
}
