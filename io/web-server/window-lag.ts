/** Lag above which a window gets no pictures, and below which it gets them again, milliseconds. */
const BEHIND_MS = 600;
const CAUGHT_UP_MS = 250;
/** Messages whose times are kept. */
const MESSAGES_MAX = 1_000;

/**
 * How far a window is behind, by the messages that it has not handled yet. Buffers of the system and of the browser hold
 * minutes of video, so only the window itself can tell; until it first does, it counts as keeping up.
 */
export class WindowLag {
  /** Times at which unhandled messages were sent, milliseconds. */
  #sentAt: number[] = [];
  #tells = false;
  #isSkipping = false;
  #worstMs = 0;

  /** Records a message that the window will acknowledge. */
  sent(nowMs: number): void {
    if (this.#sentAt.length < MESSAGES_MAX) this.#sentAt.push(nowMs);
  }

  /**
   * Records that the window has handled messages.
   * @returns how far it was behind, milliseconds, when it has just caught up; `undefined` otherwise.
   */
  handled(messages: number, nowMs: number): number | undefined {
    this.#tells = true;
    this.#sentAt.splice(0, messages);
    if (!this.#isSkipping || this.#lagAt(nowMs) > CAUGHT_UP_MS) return undefined;
    this.#isSkipping = false;
    return this.#worstMs;
  }

  /** True while the window is to get no pictures. */
  isBehind(nowMs: number): boolean {
    const lag = this.#lagAt(nowMs);
    if (this.#tells && !this.#isSkipping && lag > BEHIND_MS) {
      this.#isSkipping = true;
      this.#worstMs = 0;
    }
    if (this.#isSkipping) this.#worstMs = Math.max(this.#worstMs, lag);
    return this.#isSkipping;
  }

  #lagAt(nowMs: number): number {
    const oldest = this.#sentAt[0];
    return oldest === undefined ? 0 : nowMs - oldest;
  }
}
