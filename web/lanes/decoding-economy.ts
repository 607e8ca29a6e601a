/** Trouble within this time after an earlier one shows that skipping to live was not enough, milliseconds. */
const RELAPSE_MS = 10_000;
/** Trouble this soon after another or after a step is the same: of all lanes, or of what waited before it, milliseconds. */
const SETTLING_MS = 2_000;
/** Time without trouble after which more is decoded again, milliseconds: doubled by each relapse, up to the longest. */
const CALM_MS = 10_000;
const CALM_MS_MAX = 160_000;

/** The decoded pictures: all, those of one lane and the key frames of the others, or key frames only. */
export const DECODED = ['all', 'one-lane', 'key-frames'] as const;
export type Decoded = (typeof DECODED)[number];

/**
 * Decides how much a window decodes. One that has fallen behind skips to live; one that falls behind again soon after it
 * cannot decode everything, and decodes less until it has kept up for a while.
 */
export class DecodingEconomy {
  #level = 0;
  /** The newest trouble, and the newest one that was not the same as the one before. */
  #troubleMs = Number.NEGATIVE_INFINITY;
  #countedMs = Number.NEGATIVE_INFINITY;
  #stepMs = Number.NEGATIVE_INFINITY;
  #calmMs = CALM_MS;

  get decoded(): Decoded {
    return DECODED[this.#level]!;
  }

  /** Records that the window fell behind. */
  fellBehind(nowMs: number): void {
    const isRelapse = this.#level > 0 || nowMs - this.#countedMs < RELAPSE_MS;
    const isRetry = nowMs - this.#stepMs < this.#calmMs && this.#stepMs > this.#countedMs;
    this.#troubleMs = nowMs;
    if (nowMs - Math.max(this.#stepMs, this.#countedMs) < SETTLING_MS) return;
    this.#countedMs = nowMs;
    // More was decoded again for a while, and it was too much.
    if (isRetry) this.#calmMs = Math.min(CALM_MS_MAX, this.#calmMs * 2);
    else if (!isRelapse) this.#calmMs = CALM_MS;
    if (isRelapse || isRetry) this.#step(1, nowMs);
  }

  /** Lets the window decode more once it has kept up for long enough; called at intervals. */
  update(nowMs: number): void {
    if (this.#level === 0) return;
    if (nowMs - Math.max(this.#troubleMs, this.#stepMs) >= this.#calmMs) this.#step(-1, nowMs);
  }

  #step(by: 1 | -1, nowMs: number): void {
    const level = Math.min(DECODED.length - 1, Math.max(0, this.#level + by));
    if (level === this.#level) return;
    this.#level = level;
    this.#stepMs = nowMs;
  }
}
