import { element } from '../player/statistics-panel.ts';
import type { Decoded } from './decoding-economy.ts';
import { roughly } from './text.ts';

/** Lag above which the user is told, milliseconds. */
const BEHIND_MS = 1_000;
/** Display time of the note on a skip, milliseconds. */
const NOTE_MS = 4_000;

/** Tells the user when this window does not keep up. */
export class LagNote {
  readonly #note = element('behind', HTMLElement);
  #skippedMs = 0;
  #skippedAt = Number.NEGATIVE_INFINITY;

  /** Records that pictures were skipped. @param behindMs how far the window was behind, milliseconds. */
  skipped(behindMs: number): void {
    if (behindMs < BEHIND_MS) return;
    this.#skippedMs = behindMs;
    this.#skippedAt = performance.now();
  }

  /**
   * Shows what there is to say.
   * @param lateMs how far the window is behind, milliseconds.
   * @param decoded what is decoded of the lanes; `whole`: number of the lane that is decoded whole when not all are.
   */
  show(lateMs: number, decoded: { readonly share: Decoded; readonly whole: number }): void {
    const words = this.#words(lateMs) || economyWords(decoded);
    this.#note.hidden = words === '';
    if (this.#note.textContent !== words) this.#note.textContent = words;
  }

  #words(lateMs: number): string {
    if (lateMs > BEHIND_MS) return `This browser is ${roughly(lateMs)} behind, skipping`;
    if (performance.now() - this.#skippedAt > NOTE_MS) return '';
    return `This browser was ${roughly(this.#skippedMs)} behind and skipped to live`;
  }
}

function economyWords({ share, whole }: { readonly share: Decoded; readonly whole: number }): string {
  switch (share) {
    case 'all':
      return '';
    case 'one-lane':
      return `Too much for this computer: lane ${whole} is shown whole, the others by their key frames only`;
    case 'key-frames':
      return 'Too much for this computer: only key frames are shown';
    default:
      return share satisfies never;
  }
}
