import type { AccessUnit } from '../../protocol/access-unit.ts';
import { type Ticks, ticks } from '../../protocol/base/units.ts';

/** Units read ahead: more than a second of most sound. */
const AHEAD_UNITS = 64;
/** Units read at once when so many have left: the reader runs through one after another, instead of waking for each. */
const BATCH_UNITS = 32;

type SoundUnits = () => AsyncIterable<AccessUnit>;

const NO_UNITS: SoundUnits = async function* () {};

/** The sound beside the pictures of a broadcast, read ahead by itself, round after round. */
export class SoundFeed {
  readonly #onChange: () => void;
  readonly #onFailure: (error: unknown) => void;
  readonly #queue: AccessUnit[] = [];
  /** Rounds that have begun and are not read yet, with the offsets of their times. */
  readonly #rounds: { readonly base: Ticks; readonly units: SoundUnits }[] = [];
  #wake: (() => void) | undefined;
  #lastTaken: Ticks = ticks(Number.NEGATIVE_INFINITY);
  /** True while a round is read, or none has begun. */
  #reading = true;
  #isClosed = false;

  /**
   * @param onChange called when there is a unit after there was none, or when a round has been read.
   * @param onFailure called when the source fails, which ends the sound of the round.
   */
  constructor(onChange: () => void, onFailure: (error: unknown) => void) {
    this.#onChange = onChange;
    this.#onFailure = onFailure;
    void this.#read();
  }

  /** Next unit; `undefined` when none has been read. */
  get head(): AccessUnit | undefined {
    return this.#queue[0];
  }

  /** True when nothing follows before the next round. */
  get exhausted(): boolean {
    return !this.#reading && this.#rounds.length === 0 && this.#queue.length === 0;
  }

  /**
   * A round of the pictures begins: that of the sound as well, with times shifted by `base`.
   * @param units sound of the round; a round without any is silent.
   */
  begin(base: Ticks, units: SoundUnits = NO_UNITS): void {
    this.#rounds.push({ base, units });
    this.#wake?.();
  }

  take(): AccessUnit | undefined {
    const unit = this.#queue.shift();
    if (unit) this.#lastTaken = unit.timestamp;
    this.#wake?.();
    return unit;
  }

  close(): void {
    this.#isClosed = true;
    this.#wake?.();
  }

  async #read(): Promise<void> {
    while (!this.#isClosed) {
      const round = this.#rounds.shift();
      if (round === undefined) {
        await this.#woken();
        continue;
      }
      this.#reading = true;
      await this.#readRound(round).catch((error: unknown) => this.#onFailure(error));
      this.#reading = false;
      this.#onChange();
    }
  }

  async #readRound({ base, units }: { readonly base: Ticks; readonly units: SoundUnits }): Promise<void> {
    let isSilent = true;
    for await (const unit of units()) {
      const timestamp = ticks(unit.timestamp + base);
      if (isSilent) this.#endRoundBefore(timestamp);
      isSilent = false;
      const last = this.#queue.at(-1)?.timestamp ?? this.#lastTaken;
      if (timestamp > last) this.#push({ ...unit, timestamp, decodeTimestamp: timestamp });
      if (this.#queue.length >= AHEAD_UNITS) await this.#room(timestamp);
      if (this.#isClosed || this.#endsBefore(timestamp)) break;
    }
    if (isSilent) this.#endRoundBefore(base);
  }

  /** Waits for room in the queue, or for the end of the round. @param timestamp of the last unit that was read. */
  async #room(timestamp: Ticks): Promise<void> {
    while (!this.#isClosed && this.#queue.length > AHEAD_UNITS - BATCH_UNITS && !this.#endsBefore(timestamp)) {
      await this.#woken();
    }
  }

  /** True when the next round has begun, at this time or earlier. */
  #endsBefore(timestamp: Ticks): boolean {
    return timestamp >= (this.#rounds[0]?.base ?? Number.POSITIVE_INFINITY);
  }

  /** Removes the units of the previous round from this time on. */
  #endRoundBefore(timestamp: Ticks): void {
    while (this.#queue.length > 0 && this.#queue.at(-1)!.timestamp >= timestamp) this.#queue.pop();
  }

  #push(unit: AccessUnit): void {
    this.#queue.push(unit);
    if (this.#queue.length === 1) this.#onChange();
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
