/** Sound that waits at the start, and at least, milliseconds: what the connection and the decoder may vary. */
const TARGET_MS_MIN = 80;
/** Limit, milliseconds: pictures wait for their sound, and no more than 45 of them are kept. */
const TARGET_MS_MAX = 500;
/** Time without late sound after which the target falls, seconds, and by how much at most, milliseconds: what the clocks correct meanwhile. */
const CALM_SECONDS = 30;
const FALL_MS_MAX = 15;
/** What is added to the sound that was late, and is left when the target falls, milliseconds: what the clocks' correction moves. */
const RESERVE_MS = 20;
const REST_MS = 40;

/**
 * How much sound is to wait before it is played: more after a thread of the page was busy for so long that it ran out, less
 * again when the rest was not needed. A fixed wait would end in silence each time, and then in a cut of what came late.
 */
export class WaitTarget {
  #ms = TARGET_MS_MIN;
  #calmSeconds = 0;
  #leastMs = Number.POSITIVE_INFINITY;

  get ms(): number {
    return this.#ms;
  }

  /** Takes over by how much sound came too late, milliseconds; sound that was lost is not late. */
  raise(lateMs: number): void {
    this.#ms = Math.min(TARGET_MS_MAX, this.#ms + lateMs + RESERVE_MS);
    this.#settle();
  }

  /** Takes over what waited at least during a time of playing. */
  update(leastMs: number, seconds: number): void {
    this.#leastMs = Math.min(this.#leastMs, leastMs);
    this.#calmSeconds += seconds;
    if (this.#calmSeconds < CALM_SECONDS) return;
    const unusedMs = Math.max(0, this.#leastMs - REST_MS);
    this.#ms = Math.max(TARGET_MS_MIN, this.#ms - Math.min(FALL_MS_MAX, unusedMs));
    this.#settle();
  }

  #settle(): void {
    this.#calmSeconds = 0;
    this.#leastMs = Number.POSITIVE_INFINITY;
  }
}
