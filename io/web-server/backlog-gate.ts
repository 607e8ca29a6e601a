import type { Importance } from '../../protocol/access-unit.ts';

/**
 * Decides for each access unit whether a slow viewer still gets it, so that the backlog is bounded and everything sent
 * can be decoded.
 *
 * The gate is closed at first: a viewer joins at a key frame. When more than `queueMax` is waiting it closes again,
 * and units are dropped and counted until a key frame finds at most half of that waiting (half, so that a slow viewer
 * does not get single key frames again and again). A discardable picture is dropped alone, because no other refers to
 * it.
 */
export class BacklogGate {
  readonly #queueMax: number;
  #open = false;
  #joined = false;
  #dropped = 0;

  /**
   * `queueMax`: limit of what waits before the next picture is dropped, in bytes or as the time that it has waited; one
   * picture may exceed it.
   */
  constructor(options: { readonly queueMax: number }) {
    this.#queueMax = options.queueMax;
  }

  /** Number of pictures dropped because the viewer was too slow; those before its first key frame are not counted. */
  get dropped(): number {
    return this.#dropped;
  }

  /** True while the next picture must be a key frame. */
  get waitsForKey(): boolean {
    return !this.#open;
  }

  /** True from the first key frame on. */
  get hasJoined(): boolean {
    return this.#joined;
  }

  /** True when this picture is to be sent. @param queued earlier pictures that are still waiting, in the unit of `queueMax`. */
  admits(importance: Importance, queued: number): boolean {
    if (!this.#open) {
      if (importance === 'key' && queued <= this.#queueMax / 2) {
        this.#open = true;
        this.#joined = true;
        return true;
      }
      if (this.#joined) this.#dropped += 1;
      return false;
    }
    if (queued <= this.#queueMax) return true;
    this.#dropped += 1;
    if (importance !== 'discardable') this.#open = false;
    return false;
  }
}
