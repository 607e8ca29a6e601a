import { LANES_MAX, type LaneSettings } from '../../protocol/page/lane-message.ts';
import { element } from '../player/statistics-panel.ts';
import { LaneCard } from './lane-card.ts';
import type { LanePictures } from './worker-message.ts';

/** Beside their pictures two lanes have more room than below them, except in higher windows. */
const low = matchMedia('(max-height: 1199px)');
/** Four lanes have larger pictures in two rows. */
const large = matchMedia('(min-width: 2200px) and (min-height: 1200px)');

export interface LaneCardsHandlers {
  /** Called with the lanes that the user wants. */
  changed(lanes: LaneSettings[]): void;
  /** Called with the frame selected in a lane's timeline, or `undefined` when the selection is cleared. */
  selected(card: LaneCard, frame: number | undefined): void;
  /** Called to select the frame of a lane before or after the selected one. */
  stepped(card: LaneCard, by: -1 | 1): void;
  removed(card: LaneCard): void;
  /** Called when a lane is to be heard, or no longer. */
  soundToggled(card: LaneCard): void;
}

/** The cards of all lanes, in order. */
export class LaneCards {
  #cards: readonly LaneCard[] = [];
  readonly #place = element('lanes', HTMLElement);
  readonly #handlers: LaneCardsHandlers;
  #figuresShown = false;

  constructor(handlers: LaneCardsHandlers) {
    this.#handlers = handlers;
    for (const size of [low, large]) size.addEventListener('change', () => this.#showWidth());
    element('add-lane', HTMLButtonElement).addEventListener('click', () => {
      const last = this.#cards.at(-1)?.settings;
      if (last) handlers.changed([...this.#settings, { ...last, transport: 'udp', recovery: 'nack' }]);
    });
  }

  get all(): readonly LaneCard[] {
    return this.#cards;
  }

  get #settings(): LaneSettings[] {
    return this.#cards.map(({ settings }) => settings);
  }

  /** Applies the lanes that the server reports. @param ids of the lanes: a lane that has been there keeps its card. */
  apply(lanes: readonly LaneSettings[], ids: readonly number[]): void {
    const before = this.#cards;
    this.#cards = lanes.map((settings, index) => {
      const id = ids[index] ?? index;
      const card = before.find((other) => other.id === id) ?? this.#make(id, settings);
      card.applySettings(settings);
      return card;
    });
    for (const card of before) {
      if (this.#cards.includes(card)) continue;
      this.#handlers.removed(card);
      card.forget();
      card.element.remove();
      card.close();
    }
    for (const [index, card] of this.#cards.entries()) {
      const there = this.#place.children[index];
      // Moving an element takes its focus away.
      if (there !== card.element) this.#place.insertBefore(card.element, there ?? null);
      card.number(index, lanes.length > 1);
    }
    this.#showWidth();
    this.#linkCaptures();
    element('add-lane', HTMLButtonElement).disabled = lanes.length >= LANES_MAX;
  }

  /** Cards that are much wider than high have the picture at the left. */
  #showWidth(): void {
    const lanes = this.#cards.length;
    const inPairs = lanes === LANES_MAX && large.matches;
    this.#place.classList.toggle('in-pairs', inPairs);
    this.#place.classList.toggle('few', lanes === 1 || (lanes === 2 && low.matches) || inPairs);
  }

  /** Shows or hides the figures of all lanes: they are compared. */
  toggleFigures(): void {
    this.#figuresShown = document.body.classList.toggle('with-figures');
    for (const card of this.#cards) card.discloseFigures(this.#figuresShown);
  }

  /** The selected lane, or the first one; `undefined` before there are lanes. */
  get chosen(): LaneCard | undefined {
    return this.#cards.find(({ element }) => element.classList.contains('chosen')) ?? this.#cards[0];
  }

  /** Toggles full screen for the selected lane, or the first one. */
  toggleFullScreen(): void {
    this.chosen?.toggleFullScreen();
  }

  choose(index: number): void {
    for (const [other, card] of this.#cards.entries()) card.element.classList.toggle('chosen', other === index);
    this.#cards[index]?.element.querySelector<HTMLElement>('.timeline')?.focus();
  }

  /** Takes over what the worker reports of the pictures. */
  showPictures(lanes: readonly LanePictures[]): void {
    for (const pictures of lanes) {
      const card = this.#cards.find(({ id }) => id === pictures.id);
      if (card) card.showPictures(pictures);
      else pictures.newest?.frame.close();
    }
  }

  #make(id: number, settings: LaneSettings): LaneCard {
    const { changed, selected, stepped, soundToggled } = this.#handlers;
    const card: LaneCard = new LaneCard(id, settings, {
      changed: (news) => changed(this.#cards.map((other) => (other === card ? news : other.settings))),
      removed: () => changed(this.#cards.filter((other) => other !== card).map((other) => other.settings)),
      selected: (frame) => selected(card, frame),
      stepped: (by) => stepped(card, by),
      soundToggled: () => soundToggled(card),
      figuresToggled: () => this.toggleFigures(),
    });
    card.discloseFigures(this.#figuresShown);
    return card;
  }

  #linkCaptures(): void {
    const links = this.#cards.map((_, index) => {
      const link = document.createElement('a');
      Object.assign(link, { href: `lane-${index + 1}.pcapng`, download: `dropframe-lane-${index + 1}.pcapng` });
      link.textContent = String(index + 1);
      link.setAttribute('aria-label', `packets of lane ${index + 1}`);
      return link;
    });
    element('captures', HTMLElement).replaceChildren('packets of lane', ...links);
  }
}
