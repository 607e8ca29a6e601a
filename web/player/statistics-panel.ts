import type { PageStatistics } from '../../protocol/page/page-message.ts';
import { type Figure, statisticsFigures } from '../shared/figures.ts';
import { Sparkline } from './sparkline.ts';

/** The column of statisticsFigures. Unchanged statisticsFigures are left alone, so that a text selection survives. */
export class StatisticsPanel {
  readonly #places = new Map<string, HTMLElement>();
  readonly #delay: Sparkline;
  readonly #loss: Sparkline;
  #previous: PageStatistics = {};

  constructor(panel: HTMLElement) {
    for (const place of panel.querySelectorAll<HTMLElement>('[data-figure]')) {
      this.#places.set(place.dataset.figure ?? '', place);
    }
    this.#delay = new Sparkline(element('delay-line', HTMLCanvasElement), { kind: 'line', scaleMin: 50 });
    this.#loss = new Sparkline(element('loss-line', HTMLCanvasElement), { kind: 'bars', scaleMin: 2 });
  }

  /** Clears the charts for a new or resumed stream. */
  clear(): void {
    this.#previous = {};
    this.#delay.clear();
    this.#loss.clear();
  }

  update(record: PageStatistics): void {
    for (const [name, figure] of Object.entries(statisticsFigures(record))) this.set(name, figure);
    const { delayMsP50, delayMsP95, packets, packetsLost } = record;
    if (typeof delayMsP50 === 'number') {
      this.#delay.add({ value: delayMsP50, ...(typeof delayMsP95 === 'number' ? { upper: delayMsP95 } : {}) });
    }
    // Records hold totals; the chart shows the difference from one second to the next.
    const sent = (packets ?? 0) - (this.#previous.packets ?? 0);
    const lost = (packetsLost ?? 0) - (this.#previous.packetsLost ?? 0);
    if (this.#previous.packets !== undefined)
      this.#loss.add(sent > 0 ? { value: Math.max(0, lost / sent) * 100 } : undefined);
    this.#previous = record;
  }

  set(name: string, figure: Figure): void {
    const place = this.#places.get(name);
    if (place === undefined) return;
    const said = `${figure.text} ${figure.detail ?? ''}`.trimEnd();
    if (place.dataset.shown !== said) {
      place.dataset.shown = said;
      place.textContent = figure.text;
      if (figure.detail !== undefined) {
        const detail = document.createElement('small');
        detail.textContent = figure.detail;
        place.append(' ', detail);
      }
    }
    place.dataset.tone = figure.tone ?? 'plain';
  }
}

/** Returns the element with this id. @throws {Error} when it is missing or of another kind. */
export function element<T extends HTMLElement>(id: string, kind: abstract new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${id}`);
  return found;
}
