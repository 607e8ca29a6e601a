import type { Importance } from '../../protocol/access-unit.ts';

/**
 * Decides for each access unit whether a slow viewer still gets it, so that the backlog is bounded and everything sent
 * can be decoded.
 *
 * The gate is closed at first: a viewer joins at a key frame. When more than `queueBytes` are waiting it closes again,
 * and units are dropped and counted until a key frame finds at most half of that waiting (half, so that a slow viewer
 * does not get single key frames again and again). A discardable picture is dropped alone, because no other refers to
 * it.
 */
export class BacklogGate {
  readonly #queueBytes: number;
  #open = false;
  #joined = false;
  #dropped = 0;

  /** `queueBytes`: limit of waiting bytes before the next picture is dropped; one picture may exceed it. */
  constructor(options: { readonly queueBytes: number }) {
    this.#queueBytes = options.queueBytes;
  }

  /** Number of pictures dropped because the viewer was too slow; those before its first key frame are not counted. */
  get dropped(): number {
    return this.#dropped;
  }

  /** True while the next picture must be a key frame. */
  get waitsForKey(): boolean {
    return !this.#open;
  }

  /** True when this picture is to be sent. @param queuedBytes bytes of earlier pictures that are still waiting. */
  admits(importance: Importance, queuedBytes: number): boolean {
    if (!this.#open) {
      if (importance === 'key' && queuedBytes <= this.#queueBytes / 2) {
        this.#open = true;
        this.#joined = true;
        return true;
      }
      if (this.#joined) this.#dropped += 1;
      return false;
    }
    if (queuedBytes <= this.#queueBytes) return true;
    this.#dropped += 1;
    if (importance !== 'discardable') this.#open = false;
    return false;
  }
}
