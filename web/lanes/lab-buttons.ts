import { element } from '../player/statistics-panel.ts';
import { download } from './download.ts';
import type { MessageBar } from './message-bar.ts';
import type { PageServices } from './page-services.ts';

/** Buttons that run the page's settings in the laboratory, or save them as a scenario. */
export class LabButtons {
  readonly #message: MessageBar;
  readonly #services: PageServices;
  readonly #scenario: () => string;

  /** @param scenario returns the present settings as a scenario in JSON. */
  constructor(message: MessageBar, services: PageServices, scenario: () => string) {
    this.#message = message;
    this.#services = services;
    this.#scenario = scenario;
    element('lab', HTMLButtonElement).addEventListener('click', () => void this.#run());
    element('scenario', HTMLButtonElement).addEventListener('click', () => this.#save());
  }

  async #run(): Promise<void> {
    const message = this.#message;
    const button = element('lab', HTMLButtonElement);
    button.disabled = true;
    const end = new AbortController();
    const task = message.task('The lab simulates the same network and lanes, four runs of one minute each', () =>
      end.abort(),
    );
    try {
      const url = await this.#services.runScenario(this.#scenario(), end.signal, (share) => task.update(share));
      message.show('The lab has finished: ', 'information', true);
      const link = Object.assign(document.createElement('a'), { href: url, target: '_blank', rel: 'noopener' });
      link.textContent = 'open the report';
      message.append(link);
      this.#show(url);
    } catch (error) {
      if (end.signal.aborted) message.show('The lab run is canceled.', 'information');
      else message.refuse((error as Error).message);
    } finally {
      task.end();
      button.disabled = false;
    }
  }

  /** Shows a report over the page. */
  #show(url: string): void {
    element('report-frame', HTMLIFrameElement).src = url;
    element('report', HTMLDialogElement).showModal();
  }

  #save(): void {
    download('dropframe-scenario.json', new Blob([this.#scenario()], { type: 'application/json' }));
  }
}
