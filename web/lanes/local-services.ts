import type { FromLab, FromLaneHost, LabOrder, ToLaneHost } from '../../protocol/page/lane-host-message.ts';
import { reportFailures } from '../shared/worker-failures.ts';
import { download } from './download.ts';
import type { PageServices } from './page-services.ts';

/** Workers of the page in place of a server: one has the lanes, and another one each run of the laboratory. */
export class LocalServices implements PageServices {
  readonly #host = new Worker(new URL('./lane-host.js', import.meta.url), { type: 'module' });
  readonly port: MessagePort;
  /** Videos that are being opened, by the numbers of their orders. */
  readonly #playing = new Map<number, (why: string | undefined) => void>();
  #orders = 0;

  /** @param failed called with one line when the worker of the lanes fails. */
  constructor(failed: (why: string) => void) {
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    this.#post({ kind: 'watch' }, [port2]);
    this.#host.onmessage = ({ data }: MessageEvent<FromLaneHost>) => {
      if (data.kind === 'played') this.#settle(data.order, data.why);
      else if (data.bytes) download(data.name, new Blob([data.bytes as Uint8Array<ArrayBuffer>]));
    };
    reportFailures(this.#host, 'lane-host.js', (why) => {
      for (const order of [...this.#playing.keys()]) this.#settle(order, why);
      failed(why);
    });
    document.addEventListener('click', (event) => this.#serve(event));
  }

  runScenario(scenario: string, end: AbortSignal, progressed: (share: number) => void): Promise<string> {
    const lab = new Worker(new URL('./lab-worker.js', import.meta.url), { type: 'module' });
    const report = new Promise<string>((resolve, reject) => {
      end.addEventListener('abort', () => reject(new Error('The lab run is canceled.')));
      lab.onerror = ({ message }) => reject(new Error(message || 'The lab does not start in this browser.'));
      lab.onmessage = ({ data }: MessageEvent<FromLab>) => {
        switch (data.kind) {
          case 'progress':
            return progressed(data.share);
          case 'report':
            return resolve(URL.createObjectURL(new Blob([data.html], { type: 'text/html' })));
          case 'refused':
            return reject(new Error(data.why));
          default:
            data satisfies never;
        }
      };
    });
    const order: LabOrder = { scenario };
    lab.postMessage(order);
    return report.finally(() => lab.terminate());
  }

  play(video: File): Promise<void> {
    return new Promise((resolve, reject) => {
      const order = ++this.#orders;
      this.#playing.set(order, (why) => (why === undefined ? resolve() : reject(new Error(why))));
      this.#post({ kind: 'play', order, name: video.name, video });
    });
  }

  #settle(order: number, why: string | undefined): void {
    this.#playing.get(order)?.(why);
    this.#playing.delete(order);
  }

  /** Downloads of a server come from the worker: it makes them when they are asked for. */
  #serve(event: MouseEvent): void {
    const link = event.target instanceof Element ? event.target.closest<HTMLAnchorElement>('a[download]') : null;
    if (!link || link.protocol === 'blob:') return;
    event.preventDefault();
    this.#post({ kind: 'file', path: link.getAttribute('href') ?? '', name: link.download });
  }

  #post(message: ToLaneHost, ports: MessagePort[] = []): void {
    this.#host.postMessage(message, ports);
  }
}
