import { element } from '../player/statistics-panel.ts';

/** Display time of a message, milliseconds: enough to read a few lines. */
const MESSAGE_MS = 12_000;

export type MessageKind = 'information' | 'error';

/** A task that is under way. */
export interface Progress {
  /** @param share part that is done, 0 to 1. */
  update(share: number): void;
  end(): void;
}

/** Messages laid over the page: information, errors, and the progress of one task. */
export class MessageBar {
  readonly #element = element('message', HTMLElement);
  readonly #progress = element('progress', HTMLElement);
  readonly #bar = element('progress-bar', HTMLProgressElement);
  #cancel: (() => void) | undefined;
  #timer: number | undefined;
  /** True while the message is a refusal. */
  #refusing = false;

  constructor() {
    element('progress-cancel', HTMLButtonElement).addEventListener('click', () => this.#cancel?.());
  }

  /** Shows a message. @param stays true to keep it until it is hidden or replaced. */
  show(text: string, kind: MessageKind, stays = false): void {
    this.#element.dataset.kind = kind;
    this.#element.role = kind === 'error' ? 'alert' : 'status';
    this.#element.textContent = text;
    this.#element.hidden = false;
    this.#refusing = false;
    clearTimeout(this.#timer);
    if (!stays) this.#timer = setTimeout(() => this.hide(), MESSAGE_MS);
  }

  /** Shows why a request failed, until the next accepted state or until the display time is over. */
  refuse(why: string): void {
    this.show(why, 'error');
    this.#refusing = true;
  }

  /** Hides a refusal, but no other message. */
  endRefusal(): void {
    if (this.#refusing) this.hide();
  }

  /** Appends a link or a button to the message. */
  append(part: HTMLElement): void {
    this.#element.append(part);
  }

  hide(): void {
    this.#refusing = false;
    this.#element.hidden = true;
  }

  /** Shows a task until it ends. @param cancel called when the user gives it up. */
  task(text: string, cancel: () => void): Progress {
    element('progress-text', HTMLElement).textContent = text;
    this.#bar.removeAttribute('value');
    this.#progress.hidden = false;
    this.#cancel = cancel;
    return {
      update: (share) => {
        this.#bar.value = share;
      },
      end: () => {
        if (this.#cancel === cancel) this.#progress.hidden = true;
      },
    };
  }
}
