import { type AccessUnit, shifted } from '../../protocol/access-unit.ts';
import { type Ticks, ticks } from '../../protocol/base/units.ts';

/**
 * The pictures that a player got before their time, which has not come yet. A stall delays them for everybody else; a picture
 * that follows them and is shown before one of them keeps the delay with which that one was sent.
 */
export class EarlyPictures {
  /** Presentation times with which they were sent, in decode order. */
  readonly #sent: Ticks[] = [];
  /** Latest presentation time of them as that is now, and its difference from the one with which it was sent. */
  #through: Ticks = ticks(Number.NEGATIVE_INFINITY);
  #delay: Ticks = ticks(0);

  get count(): number {
    return this.#sent.length;
  }

  /**
   * Takes the next pictures of the stream.
   * @param upcoming these pictures and those that follow, with their times as they are now.
   * @returns those that follow, with the times with which they are to be sent.
   */
  take(upcoming: readonly AccessUnit[]): readonly AccessUnit[] {
    for (const [index, sent] of this.#sent.entries()) {
      const unit = upcoming[index];
      if (unit) this.#compare(unit, sent);
    }
    const following = upcoming.slice(this.#sent.length).map((unit) => this.follow(unit));
    this.#sent.push(...following.map(({ timestamp }) => timestamp));
    return following;
  }

  /** Returns true for a picture that was sent already. @param unit picture whose time has come. */
  pass(unit: AccessUnit): boolean {
    const sent = this.#sent.shift();
    if (sent === undefined) return false;
    this.#compare(unit, sent);
    return true;
  }

  /** Returns a picture that follows them with the times with which it is to be sent. */
  follow(unit: AccessUnit): AccessUnit {
    return this.#delay > 0 && unit.timestamp <= this.#through ? shifted(unit, ticks(-this.#delay)) : unit;
  }

  clear(): void {
    this.#sent.length = 0;
    this.#through = ticks(Number.NEGATIVE_INFINITY);
    this.#delay = ticks(0);
  }

  #compare({ timestamp }: AccessUnit, sent: Ticks): void {
    if (timestamp < this.#through) return;
    this.#through = timestamp;
    this.#delay = ticks(timestamp - sent);
  }
}
