import { element } from '../player/statistics-panel.ts';
import type { LaneCard } from './lane-card.ts';
import { strategyLabel, strategyOf } from './lane-style.ts';
import { lessonOf } from './lesson.ts';

/** Shortest display time of a lesson, milliseconds: its figures change with every message. */
const LESSON_MS = 2_000;
const GONE = 'The server is gone. The lanes show their last figures.';
/** Shortest time between two announcements to screen readers, milliseconds. */
const ANNOUNCED_MS = 5_000;

/** The line above the lanes: what they show now, in one sentence, and in words for screen readers. */
export class Stage {
  readonly #lesson = element('lesson', HTMLElement);
  readonly #announced = element('announced', HTMLElement);
  #lessonAt = Number.NEGATIVE_INFINITY;
  #isGuided = false;
  #announcedAt = Number.NEGATIVE_INFINITY;

  /** Shows the sentence of a tour in place of the lesson. @param words `undefined`: the tour is over. */
  guide(words: string | undefined): void {
    this.#isGuided = words !== undefined;
    this.#lesson.ariaLive = this.#isGuided ? 'polite' : 'off';
    if (words !== undefined) this.#lesson.textContent = words;
  }

  /** Shows the lesson of these lanes at once, but not during a tour. Returns true when it is another one. */
  teach(cards: readonly LaneCard[]): boolean {
    const lesson = this.#isGuided ? '' : lessonOf(cards.flatMap(({ taught }) => taught ?? []));
    if (lesson === '' || lesson === this.#lesson.textContent) return false;
    this.#lesson.textContent = lesson;
    return true;
  }

  /** The server is gone: the lesson of its last seconds is no longer true. */
  leave(): void {
    this.#lesson.textContent = GONE;
    this.#lessonAt = Number.NEGATIVE_INFINITY;
  }

  /** @param atMs time on the clock of the server, milliseconds. */
  show(atMs: number, cards: readonly LaneCard[]): void {
    if (isDue(atMs, this.#lessonAt, LESSON_MS) && this.teach(cards)) this.#lessonAt = atMs;
    if (!isDue(atMs, this.#announcedAt, ANNOUNCED_MS)) return;
    const words = cards.map(({ settings, verdict }, index) => {
      return `Lane ${index + 1}, ${strategyLabel(strategyOf(settings))}: ${verdict?.plain ?? 'starting'}`;
    });
    const announced = words.join('. ');
    if (announced === this.#announced.textContent) return;
    this.#announced.textContent = announced;
    this.#announcedAt = atMs;
  }
}

/** True after the time, and when the clock is another one. */
const isDue = (atMs: number, sinceMs: number, afterMs: number): boolean => atMs < sinceMs || atMs - sinceMs >= afterMs;
