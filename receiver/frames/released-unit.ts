import type { AccessUnit, Importance } from '../../protocol/access-unit.ts';
import type { Ticks } from '../../protocol/base/units.ts';
import type { PackedParts } from '../../protocol/codec/codec.ts';

/**
 * An access unit that copies its parts out of the payloads on first access. The copy is a third of the cost of a
 * simulation that only counts frames.
 */
export class ReleasedUnit implements AccessUnit {
  /** An own property, as in any other access unit, so that it is visible when the unit is copied or compared. */
  declare readonly parts: Uint8Array[];
  declare readonly timestamp: Ticks;
  declare readonly decodeTimestamp: Ticks;
  declare readonly importance: Importance;
  declare readonly decodeOnly?: true;
  readonly #packed: PackedParts;

  static readonly #PARTS: PropertyDescriptor = {
    enumerable: true,
    // One getter for all units; individual ones would give every unit its own hidden class.
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
