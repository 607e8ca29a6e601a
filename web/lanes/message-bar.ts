import { element } from '../player/statistics-panel.ts';

/** Display time of a message, milliseconds: enough to read a few lines. */
const MESSAGE_MS = 12_000;

/** The message line above the lanes. */
export class MessageBar {
  readonly #element = element('message', HTMLElement);
  #timer: number | undefined;
  /** True while the message is a refusal. */
  #refusing = false;

  /** Shows a message. @param stays true to keep it until it is hidden or replaced. */
  show(text: string, stays = false): void {
    this.#element.textContent = text;
    this.#element.hidden = false;
    this.#refusing = false;
    clearTimeout(this.#timer);
    if (!stays) this.#timer = setTimeout(() => this.hide(), MESSAGE_MS);
  }

  /** Shows why a request failed, until the next accepted state or until the display time is over. */
  refuse(why: string): void {
    this.show(why);
    this.#refusing = true;
  }

  /** Hides a refusal, but no other message. */
  endRefusal(): void {
    if (this.#refusing) this.hide();
  }

  /** Appends a link to the message. */
  append(link: HTMLAnchorElement): void {
    this.#element.append(link);
  }

  hide(): void {
    this.#refusing = false;
    this.#element.hidden = true;
  }
}
