import type { AccessUnit } from '../../protocol/access-unit.ts';

/** A destination of access units once it is open: a player, a page, a file. */
export interface OpenOutlet {
  write(unit: AccessUnit): void;
  close(): Promise<void>;
}

/** Limit of units kept while opening, which takes well under a second. */
const EARLY_UNITS_MAX = 600;

/** Buffers access units while their destination is being opened, so that none is lost. */
export class Outlet<T extends OpenOutlet> {
  readonly #opening: Promise<void>;
  #open: T | undefined;
  #early: AccessUnit[] = [];

  constructor(opening: Promise<T>, events: { onOpen?: (outlet: T) => void; onFailure: (error: unknown) => void }) {
    this.#opening = opening.then(
      (outlet) => {
        for (const unit of this.#early) outlet.write(unit);
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

  write(unit: AccessUnit): void {
    if (this.#open) this.#open.write(unit);
    else if (this.#early.length < EARLY_UNITS_MAX) this.#early.push(unit);
  }

  async close(): Promise<void> {
    await this.#opening;
    await this.#open?.close();
  }
}
