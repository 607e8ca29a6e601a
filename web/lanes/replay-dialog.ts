import { element } from '../player/statistics-panel.ts';
import type { Recording } from '../replay/recording.ts';
import type { ReplayView } from '../replay/replay-view.ts';
import { download } from './download.ts';
import type { MessageBar } from './message-bar.ts';

type ReplayModule = typeof import('./replay-page.ts');

/** Where the script of the replay is: beside that of the page. */
const SCRIPT = new URL('./replay-page.js', import.meta.url).href;
const NOTHING = 'Nothing is recorded yet: the recording begins with the first picture.';

export interface ReplayHandlers {
  /** Returns what is recorded up to now; `undefined` before there is anything. */
  record(): Promise<Recording | undefined>;
  /** Called when the replay opens and closes. */
  toggled(isOpen: boolean): void;
}

/** Replays the last half minute over the page, and saves it as a file that needs no server. */
export class ReplayDialog {
  readonly #message: MessageBar;
  readonly #handlers: ReplayHandlers;
  readonly #dialog = element('replay-dialog', HTMLDialogElement);
  readonly #place = element('replay-place', HTMLElement);
  #module: Promise<ReplayModule> | undefined;
  #view: ReplayView | undefined;
  #shown: Recording | undefined;
  #isOpening = false;

  constructor(message: MessageBar, handlers: ReplayHandlers) {
    this.#message = message;
    this.#handlers = handlers;
    element('replay', HTMLButtonElement).addEventListener('click', () => void this.open());
    element('share', HTMLButtonElement).addEventListener('click', () => void this.#share());
    element('replay-share', HTMLButtonElement).addEventListener('click', () => void this.#share(this.#shown));
    this.#dialog.addEventListener('close', () => this.#close());
  }

  /** The replay that is shown; `undefined` without one. */
  get view(): ReplayView | undefined {
    return this.#view;
  }

  async open(): Promise<void> {
    if (this.#isOpening || this.#dialog.open) return;
    this.#isOpening = true;
    try {
      const [{ ReplayView: View }, recording] = await Promise.all([this.#load(), this.#handlers.record()]);
      if (!recording) return this.#message.show(NOTHING, 'information');
      this.#shown = recording;
      this.#view = new View(recording);
      element('replay-heading', HTMLElement).textContent = `The last ${Math.round(this.#view.seconds)} seconds`;
      this.#place.replaceChildren(this.#view.element);
      this.#dialog.showModal();
      this.#view.start();
      this.#handlers.toggled(true);
    } catch (error) {
      this.#message.show(`The replay cannot be shown: ${(error as Error).message}`, 'error');
    } finally {
      this.#isOpening = false;
    }
  }

  /** Saves a recording as a page. @param shown the one that is shown; default: what is recorded up to now. */
  async #share(shown?: Recording): Promise<void> {
    try {
      const [{ sharedPage }, recording, script, styles] = await Promise.all([
        this.#load(),
        shown ?? this.#handlers.record(),
        textOf(SCRIPT),
        Promise.all(
          [...document.querySelectorAll<HTMLLinkElement>('link[rel=stylesheet]')].map(({ href }) => textOf(href)),
        ),
      ]);
      if (!recording) return this.#message.show(NOTHING, 'information');
      if (/\bfrom\s*['"]\./.test(script)) throw new Error('its script is not bundled here: run "npm run build"');
      const madeAt = new Date();
      const page = new Blob([...(await sharedPage(recording, { script, styles }, madeAt))], { type: 'text/html' });
      const name = `dropframe-run-${madeAt.toISOString().slice(0, 19).replaceAll(':', '-')}.html`;
      download(name, page);
      this.#message.show(saved(name, page.size, recording), 'information');
    } catch (error) {
      this.#message.show(`The run cannot be saved: ${(error as Error).message}`, 'error');
    }
  }

  #load(): Promise<ReplayModule> {
    this.#module ??= (import(SCRIPT) as Promise<ReplayModule>).catch((error: unknown) => {
      this.#module = undefined;
      throw error;
    });
    return this.#module;
  }

  #close(): void {
    this.#view?.close();
    this.#handlers.toggled(false);
    this.#view = undefined;
    this.#shown = undefined;
    this.#place.replaceChildren();
  }
}

function saved(name: string, bytes: number, { record: { fromMs, untilMs, lanes } }: Recording): string {
  const seconds = Math.round((untilMs - fromMs) / 1_000);
  const size = `${(bytes / 1e6).toFixed(1)} MB`;
  return `Saved ${name}: ${seconds} seconds of ${lanes.length} ${lanes.length === 1 ? 'lane' : 'lanes'}, ${size}. It opens in a browser by itself, without this server.`;
}

async function textOf(address: string): Promise<string> {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${new URL(address).pathname} does not load (${response.status})`);
  return response.text();
}
