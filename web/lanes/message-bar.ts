import { element } from '../player/statistics-panel.ts';

/** As long as it takes to read a few lines. */
const MESSAGE_MS = 12_000;

/** The line above the lanes that says what is wrong or under way. */
export class MessageBar {
  readonly #element = element('message', HTMLElement);
  #timer: number | undefined;
  /** What it says is that something could not be done. */
  #refusing = false;

  /** @param stays until it is hidden, or something else is said. */
  say(text: string, stays = false): void {
    this.#element.textContent = text;
    this.#element.hidden = false;
    this.#refusing = false;
    clearTimeout(this.#timer);
    if (!stays) this.#timer = setTimeout(() => this.hide(), MESSAGE_MS);
  }

  /** What was asked for could not be done: it stands until something else is, or it has been read. */
  refuse(why: string): void {
    this.say(why);
    this.#refusing = true;
  }

  /** Something was done: a refusal from before is over, and anything else stands. */
  endRefusal(): void {
    if (this.#refusing) this.hide();
  }

  /** A link behind the words. */
  append(link: HTMLAnchorElement): void {
    this.#element.append(link);
  }

  hide(): void {
    this.#refusing = false;
    this.#element.hidden = true;
  }
}
