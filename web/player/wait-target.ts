/** Sound that waits at the start, and at least, milliseconds: what the connection and the decoder may vary. */
const TARGET_MS_MIN = 80;
/** Limit, milliseconds: pictures wait for their sound, and no more than 45 of them are kept. */
const TARGET_MS_MAX = 500;
/** Time without late sound after which the target falls, seconds, and by how much at most, milliseconds: what the clocks correct meanwhile. */
const CALM_SECONDS = 30;
const FALL_MS_MAX = 15;
/** Added to the lateness of sound, and left when the target falls, milliseconds: the correction of the clocks moves as much. */
const RESERVE_MS = 20;
const REST_MS = 40;

/**
 * Target for the sound that waits before it is played: higher after a thread of the page was busy for so long that it ran out, lower
 * again when the rest was not needed. A fixed wait would end in silence each time, and then in a cut of what came late.
 */
export class WaitTarget {
  #ms = TARGET_MS_MIN;
  #calmSeconds = 0;
  #leastMs = Number.POSITIVE_INFINITY;

  get ms(): number {
    return this.#ms;
  }

  /**
   * Raises the target after an underrun.
   * @param lateMs lateness of the sound, milliseconds; sound that was lost is not late. A stall that no wait up to the limit
   * would have covered does not count.
   */
  raise(lateMs: number): void {
    if (lateMs > TARGET_MS_MAX) return;
    this.#ms = Math.min(TARGET_MS_MAX, this.#ms + lateMs + RESERVE_MS);
    this.#settle();
  }

  /** @param leastMs sound that waited at least during these seconds of playing, milliseconds. */
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
