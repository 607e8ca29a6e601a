import { element } from '../player/statistics-panel.ts';
import { roughly } from './text.ts';

/** Messages that are acknowledged together: ten a second. */
const MESSAGES = 2;
/** Lag above which the user is told, milliseconds. */
const BEHIND_MS = 1_000;
/** Display time of the note on a skip, milliseconds. */
const NOTE_MS = 4_000;

/** Tells the server that this window keeps up, and the user when it does not. */
export class LagNote {
  readonly #note = element('behind', HTMLElement);
  readonly #acknowledge: (messages: number) => void;
  /** How often pictures were skipped. */
  skips = 0;
  #handled = 0;
  #skippedMs = 0;
  #skippedAt = Number.NEGATIVE_INFINITY;

  /** @param acknowledge called with the number of messages handled since the last call. */
  constructor(acknowledge: (messages: number) => void) {
    this.#acknowledge = acknowledge;
  }

  /** Begins again, for a new connection. */
  connected(): void {
    this.#handled = 0;
  }

  handled(): void {
    if (++this.#handled < MESSAGES) return;
    this.#acknowledge(this.#handled);
    this.#handled = 0;
  }

  /** Records that pictures were skipped. @param behindMs how far the window was behind, milliseconds. */
  skipped(behindMs: number): void {
    this.skips++;
    if (behindMs < BEHIND_MS) return;
    this.#skippedMs = behindMs;
    this.#skippedAt = performance.now();
  }

  /** Shows what there is to say. @param lateMs lateness of the newest message, milliseconds. */
  show(lateMs: number): void {
    const words = this.#words(lateMs);
    this.#note.hidden = words === '';
    if (this.#note.textContent !== words) this.#note.textContent = words;
  }

  #words(lateMs: number): string {
    if (lateMs > BEHIND_MS) return `This browser is ${roughly(lateMs)} behind, skipping`;
    if (performance.now() - this.#skippedAt > NOTE_MS) return '';
    return `This browser was ${roughly(this.#skippedMs)} behind and skipped to live`;
  }
}
