import type { AccessUnit, Importance } from '../../protocol/access-unit.ts';
import type { Ticks } from '../../protocol/base/units.ts';
import type { PackedParts } from '../../protocol/codec/codec.ts';

/**
 * An access unit whose parts are copied out of the payloads when they are looked at: a third of the cost of a
 * simulation that only counts.
 */
export class ReleasedUnit implements AccessUnit {
  /** A property of the object itself, as in any other access unit: whoever copies or compares the unit sees it. */
  declare readonly parts: Uint8Array[];
  declare readonly timestamp: Ticks;
  declare readonly decodeTimestamp: Ticks;
  declare readonly importance: Importance;
  declare readonly decodeOnly?: true;
  readonly #packed: PackedParts;

  static readonly #PARTS: PropertyDescriptor = {
    enumerable: true,
    // One function for all units: with one each, every unit would be an object of its own shape.
    get(this: ReleasedUnit) {
      return this.#packed.parts;
    },
  };

  constructor(packed: PackedParts, unit: Omit<AccessUnit, 'parts'>) {
    this.#packed = packed;
    Object.defineProperty(this, 'parts', ReleasedUnit.#PARTS);
    this.timestamp = unit.timestamp;
    this.decodeTimestamp = unit.decodeTimestamp;
    this.importance = unit.importance;
    if (unit.decodeOnly === true) this.decodeOnly = true;
  }
}
