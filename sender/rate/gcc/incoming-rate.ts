import { type Microseconds, microseconds, perSecond } from '../../../protocol/base/units.ts';

/**
 * Incoming bit rate over a sliding window of the receiver's clock (draft-ietf-rmcat-gcc-02 §5.5, R_hat). Packets older
 * than the window are removed, so its memory is bounded by the rate.
 */
export class IncomingRate {
  readonly #window: Microseconds;
  #arrivedAt: Microseconds[] = [];
  #bytes: number[] = [];
  #first = 0;
  #sum = 0;
  #beganAt: Microseconds | undefined;
  #newest: Microseconds = microseconds(Number.NEGATIVE_INFINITY);

  constructor(window: Microseconds) {
    this.#window = window;
  }

  onPacket(arrivedAt: Microseconds, bytes: number): void {
    this.#beganAt ??= arrivedAt;
    this.#newest = microseconds(Math.max(this.#newest, arrivedAt));
    this.#arrivedAt.push(arrivedAt);
    this.#bytes.push(bytes);
    this.#sum += bytes;
    while (this.#arrivedAt[this.#first]! <= this.#newest - this.#window) this.#sum -= this.#bytes[this.#first++]!;
    if (this.#first < 64 || this.#first * 2 < this.#bytes.length) return;
    this.#arrivedAt = this.#arrivedAt.slice(this.#first);
    this.#bytes = this.#bytes.slice(this.#first);
    this.#first = 0;
  }

  /** Bits per second; `undefined` until a whole window has been observed. */
  get value(): number | undefined {
    if (this.#beganAt === undefined || this.#newest - this.#beganAt < this.#window) return undefined;
    return perSecond(this.#sum * 8, this.#window);
  }
}
