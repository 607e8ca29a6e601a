import type { Importance } from '../../protocol/access-unit.ts';

/**
 * Decides, access unit by access unit, what a viewer that reads too slowly still gets, so that what waits for it in
 * our memory stays bounded and what it does get can be decoded.
 *
 * Closed at first: a viewer joins at a keyframe. When more than `queueBytes` wait, it closes again and what follows is
 * dropped and counted until a keyframe finds at most half of that waiting (half, so that one slow viewer does not get
 * a keyframe and nothing else, again and again). A discardable picture is dropped alone: nothing refers to it.
 */
export class BacklogGate {
  readonly #queueBytes: number;
  #open = false;
  #joined = false;
  #dropped = 0;

  /** `queueBytes`: the most that may wait before the next picture is dropped; one picture may exceed it. */
  constructor(options: { readonly queueBytes: number }) {
    this.#queueBytes = options.queueBytes;
  }

  /** Pictures dropped because the viewer was too slow; those before its first keyframe do not count. */
  get dropped(): number {
    return this.#dropped;
  }

  /** True while the next picture must be a keyframe. */
  get waitsForKey(): boolean {
    return !this.#open;
  }

  /** Whether to pass this picture on, while `queuedBytes` of earlier ones still wait. */
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
