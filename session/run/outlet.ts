import type { AccessUnit } from '../../protocol/access-unit.ts';

/** Use of a unit. */
export interface UnitUse {
  /** True when the unit is too late to be shown, but later units refer to it. */
  readonly decodeOnly: boolean;
  /** True for a unit of the sound. */
  readonly isSound?: true;
}

/** A destination of access units once it is open: a player, a page, a file. */
export interface OpenOutlet {
  write(unit: AccessUnit, how: UnitUse): void;
  close(): Promise<void>;
}

/** Limit of units kept while opening, which takes well under a second. */
const EARLY_UNITS_MAX = 600;

/** Buffers access units while their destination is being opened, so that none is lost. */
export class Outlet<T extends OpenOutlet> {
  readonly #opening: Promise<void>;
  #open: T | undefined;
  #early: { readonly unit: AccessUnit; readonly how: UnitUse }[] = [];

  constructor(opening: Promise<T>, events: { onOpen?: (outlet: T) => void; onFailure: (error: unknown) => void }) {
    this.#opening = opening.then(
      (outlet) => {
        for (const { unit, how } of this.#early) outlet.write(unit, how);
        this.#early = [];
        this.#open = outlet;
        events.onOpen?.(outlet);
      },
      (error: unknown) => events.onFailure(error),
    );
  }

  get opened(): T | undefined {
    return this.#open;
  }

  write(unit: AccessUnit, how: UnitUse): void {
    if (this.#open) this.#open.write(unit, how);
    else if (this.#early.length < EARLY_UNITS_MAX) this.#early.push({ unit, how });
  }

  async close(): Promise<void> {
    await this.#opening;
    await this.#open?.close();
  }
}
