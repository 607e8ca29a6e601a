import { element } from '../player/statistics-panel.ts';
import { displayOrder } from './display-order.ts';
import { frameDetails } from './frame-details.ts';
import type { LaneCard } from './lane-card.ts';
import type { LaneCards } from './lane-cards.ts';
import type { Frame } from './lane-log.ts';
import { strategyLabel, strategyOf } from './lane-style.ts';

interface Selection {
  readonly card: LaneCard;
  readonly frame: number;
  readonly run: number | undefined;
}

/** The panel with the life of one frame of one lane, and the steps to its neighbors. */
export class FrameLife {
  readonly #cards: LaneCards;
  readonly #changed: () => void;
  readonly #place = element('details-body', HTMLElement);
  /** How a frame is selected: shown until one is. */
  readonly #help = [...this.#place.childNodes];
  #selection: Selection | undefined;

  /** @param changed called when another frame is selected, or none. */
  constructor(cards: LaneCards, changed: () => void) {
    this.#cards = cards;
    this.#changed = changed;
    for (const [id, by] of [
      ['frame-before', -1],
      ['frame-after', 1],
    ] as const) {
      element(id, HTMLButtonElement).addEventListener('click', () => this.step(undefined, by));
    }
  }

  /** The selected frame; `undefined` without one, and when it has left the log. */
  get frame(): Frame | undefined {
    return this.#selection?.card.log.frames.get(this.#selection.frame);
  }

  /** Without a frame, the panel says how one is selected. */
  select(card: LaneCard | undefined, frame: number | undefined): void {
    this.#selection?.card.select(undefined);
    this.#selection = card && frame !== undefined ? { card, frame, run: card.log.run } : undefined;
    this.#selection?.card.select(frame);
    if (!this.#selection) this.#place.replaceChildren(...this.#help);
    this.refresh();
    this.#changed();
  }

  /** Shows no frame: the last one is of another video, or of another server. */
  clear(): void {
    this.select(undefined, undefined);
  }

  /** A lane is removed. */
  forget(card: LaneCard): void {
    if (this.#selection?.card === card) this.clear();
  }

  /**
   * Selects the picture before or after the selected one; without one, that on the screen.
   * @param card its lane; default: that of the selected frame, or the chosen one.
   */
  step(card: LaneCard | undefined, by: -1 | 1): void {
    const lane = card ?? this.#selection?.card ?? this.#cards.chosen;
    if (!lane) return;
    const { log } = lane;
    const sent = new Set([...log.packets.values()].map(({ frame }) => frame));
    const order = displayOrder(log.frames.values()).filter(({ number }) => sent.has(number));
    const selected = this.#selection?.card === lane ? this.#selection.frame : undefined;
    const from = order.findIndex(({ number }) => number === selected);
    const next = from < 0 ? (lane.frameOnScreen ?? order.at(-1)) : order[from + by];
    if (next) this.select(lane, next.number);
  }

  /** Shows what has become known of the selected frame. */
  refresh(): void {
    if (!this.#selection) return;
    const { card, frame, run } = this.#selection;
    // After a restart, frame numbers start at 0 again.
    if (card.log.run !== run) return this.clear();
    const parts = frameDetails(card.log, frame, strategyLabel(strategyOf(card.settings)));
    // Replaced only on a change: a live region is read out each time.
    if (!parts || parts.map(({ textContent }) => textContent).join('') === this.#place.textContent) return;
    this.#place.replaceChildren(...parts);
  }
}
