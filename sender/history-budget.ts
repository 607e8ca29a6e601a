import { assert } from '../protocol/base/assert.ts';

/** Bytes of sent packets kept for all receivers of a stream, divided equally. */
export class HistoryBudget {
  readonly #bytesMax: number;
  #members = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Limit of the bytes in one receiver's history. */
  get share(): number {
    return this.#bytesMax / Math.max(1, this.#members);
  }

  join(): void {
    this.#members++;
  }

  leave(): void {
    assert(this.#members > 0, 'a sender must join the budget before it leaves');
    this.#members--;
  }
}
