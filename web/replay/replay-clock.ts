/** Speeds of a replay, the real one first. */
export const SPEEDS = [1, 0.5, 0.25, 0.1] as const;
export type Speed = (typeof SPEEDS)[number];

/** Position in a recording: it plays at some speed, pauses, and jumps. All times are milliseconds. */
export class ReplayClock {
  readonly fromMs: number;
  readonly untilMs: number;
  speed: Speed = 1;
  #atMs: number;
  #isPlaying = false;
  #movedAt: number | undefined;

  constructor(fromMs: number, untilMs: number) {
    this.fromMs = fromMs;
    this.untilMs = Math.max(fromMs, untilMs);
    this.#atMs = fromMs;
  }

  get atMs(): number {
    return this.#atMs;
  }

  get isPlaying(): boolean {
    return this.#isPlaying;
  }

  /** Goes on to the time of an animation frame; pauses at the end. @param nowMs time of the page. */
  advance(nowMs: number): void {
    const passed = this.#movedAt === undefined ? 0 : Math.max(0, nowMs - this.#movedAt);
    this.#movedAt = nowMs;
    if (!this.#isPlaying) return;
    this.seek(this.#atMs + passed * this.speed);
    if (this.#atMs >= this.untilMs) this.#isPlaying = false;
  }

  /** At the end, playing begins again. */
  toggle(): void {
    if (!this.#isPlaying && this.#atMs >= this.untilMs) this.seek(this.fromMs);
    this.#isPlaying = !this.#isPlaying;
  }

  pause(): void {
    this.#isPlaying = false;
  }

  seek(ms: number): void {
    this.#atMs = Math.min(this.untilMs, Math.max(this.fromMs, ms));
  }

  /** Jumps by a step, and pauses. */
  step(ms: number): void {
    this.pause();
    this.seek(this.#atMs + ms);
  }
}
