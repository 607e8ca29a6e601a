import type { AccessUnit } from '../../protocol/access-unit.ts';
import { type Ticks, ticks } from '../../protocol/base/units.ts';

/** Limits of the retained pictures: a key frame distance of ten seconds at 60 frames per second, and 16 Mb/s of it. */
const UNITS_MAX = 600;
const BYTES_MAX = 20_000_000;
/** Room for one more picture, bytes; without it the group counts as full. */
const PICTURE_BYTES = 2_000_000;
/** The pictures before the present are shown this many times faster: those of a second in 63 ms. */
const CATCH_UP_SPEED = 16;

/**
 * The pictures since the last key frame, so that a viewer joins at once instead of at the next one, and those of the group
 * before it. None are retained of a group with more than the limits, as in a stream whose key frames are made on request.
 */
export class RecentGroup {
  #units: AccessUnit[] = [];
  #bytes = 0;
  /** The group before the last key frame; empty when it would exceed the limits together with the last one. */
  #before: readonly AccessUnit[] = [];
  #bytesBefore = 0;
  /** Decode time of the last picture: everything that follows is decoded, and shown, at this time or later. */
  #present: Ticks | undefined;
  #isBeforePlace = false;

  /** True while the last picture is one before the place at which the stream starts, which is not to be shown. */
  get isBeforePlace(): boolean {
    return this.#isBeforePlace;
  }

  /** True when the group is held, and may not be with one more picture. */
  get isFull(): boolean {
    return this.#units.length >= UNITS_MAX || (this.#units.length > 0 && this.#bytes > BYTES_MAX - PICTURE_BYTES);
  }

  /** Decode time of the last picture; `undefined` before the first one. */
  get present(): Ticks | undefined {
    return this.#present;
  }

  add(unit: AccessUnit): void {
    this.#present = unit.decodeTimestamp;
    this.#isBeforePlace = unit.decodeOnly === true;
    if (unit.importance === 'key') {
      this.#before = this.#units;
      this.#bytesBefore = this.#bytes;
      this.#units = [];
      this.#bytes = 0;
    } else if (this.#units.length === 0) return;
    for (const part of unit.parts) this.#bytes += part.length;
    this.#units.push(unit);
    if (this.#units.length > UNITS_MAX || this.#bytes > BYTES_MAX) this.#units = [];
    const bytes = this.#bytes + this.#bytesBefore;
    if (this.#units.length + this.#before.length > UNITS_MAX || bytes > BYTES_MAX) this.#before = [];
  }

  clear(): void {
    this.#units = [];
    this.#bytes = 0;
    this.#before = [];
    this.#bytesBefore = 0;
    this.#present = undefined;
    this.#isBeforePlace = false;
  }

  /**
   * Returns the retained pictures with their times before the present compressed, in the same order: the viewer's
   * decoder catches up at once, and the viewer is not late by the age of the key frame. Empty: wait for a key frame.
   * @param unitsMin pictures that the viewer needs: with fewer since the last key frame, those of the group before it are
   * returned as well.
   */
  caughtUp(unitsMin = 0): AccessUnit[] {
    const present = this.#present;
    if (present === undefined) return [];
    const compressed = (time: Ticks): Ticks =>
      time >= present ? time : ticks(present - Math.ceil((present - time) / CATCH_UP_SPEED));
    const isShort = this.#units.length > 0 && this.#units.length < unitsMin;
    const units = isShort ? [...this.#before, ...this.#units] : this.#units;
    return units.map((unit) => ({
      ...unit,
      timestamp: compressed(unit.timestamp),
      decodeTimestamp: compressed(unit.decodeTimestamp),
    }));
  }
}
