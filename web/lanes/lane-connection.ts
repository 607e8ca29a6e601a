import type { LaneCommand } from '../../protocol/page/lane-command.ts';
import type { LaneAnnouncement } from '../../protocol/page/lane-message.ts';
import type { Recording } from '../replay/recording.ts';
import { reportFailures } from '../shared/worker-failures.ts';
import type { DecodedLanes, LanePictures, ToWorker, WorkerReport } from './worker-message.ts';

export interface LaneConnectionHandlers {
  connected(): void;
  disconnected(): void;
  /** The worker has failed. @param why one line. */
  failed(why: string): void;
  /** @param ids of the lanes, in order. */
  announced(announcement: LaneAnnouncement, ids: readonly number[]): void;
  pictures(lanes: readonly LanePictures[]): void;
}

/** The page's side of the worker that holds the connection to the lanes and decodes the pictures. */
export class LaneConnection {
  readonly #worker = new Worker(new URL('./lane-worker.js', import.meta.url), { type: 'module' });
  connected = false;
  /** Longest time that a picture waits in this window, milliseconds. */
  behindMs = 0;
  /** How often pictures were skipped to continue at the newest. */
  skips = 0;
  /** The decoded part of the lanes. */
  decoded: DecodedLanes = { share: 'all', whole: undefined };
  #isReported = false;

  /** @param port leads to lanes in another worker; `undefined`: the lanes are on the server. */
  constructor(handlers: LaneConnectionHandlers, port: MessagePort | undefined) {
    this.#worker.onmessage = ({ data }: MessageEvent<WorkerReport>) => {
      this.#isReported = true;
      this.#take(data, handlers);
      // A hidden page draws nothing.
      if (document.hidden) this.handled();
    };
    reportFailures(this.#worker, 'lane-worker.js', (why) => handlers.failed(why));
    document.addEventListener('visibilitychange', () => this.handled());
    const first: ToWorker = { kind: 'connect' };
    this.#worker.postMessage(first, port ? [port] : []);
  }

  send(command: LaneCommand): void {
    this.#post({ kind: 'send', command });
  }

  /** Returns the recording of the last seconds; `undefined` before there is one. */
  record(): Promise<Recording | undefined> {
    const { port1, port2 } = new MessageChannel();
    return new Promise((resolve) => {
      port1.onmessage = ({ data }: MessageEvent<Recording | undefined>) => {
        port1.close();
        resolve(data);
      };
      const message: ToWorker = { kind: 'record' };
      this.#worker.postMessage(message, [port2]);
    });
  }

  /** Stops decoding what is live, or goes on at the newest pictures. */
  rest(isResting: boolean): void {
    this.#post({ kind: 'rest', isResting });
  }

  /** Lets the worker report again; called once what it reported was drawn. */
  handled(): void {
    if (!this.#isReported) return;
    this.#isReported = false;
    this.#post({ kind: 'handled' });
  }

  /** Hears the lane with this id, or none. @param loudspeaker port that takes its sound, when it is a new one. */
  listen(lane: number | undefined, loudspeaker: MessagePort | undefined): void {
    const message: ToWorker = { kind: 'listen', lane };
    this.#worker.postMessage(message, loudspeaker ? [loudspeaker] : []);
  }

  /** Tells the worker which media time is heard at a time of `performance.now()`. */
  hearing(mediaUs: number | undefined, atMs: number): void {
    this.#post({ kind: 'hearing', mediaUs, epochMs: performance.timeOrigin + atMs });
  }

  #take({ events, lanes, behindMs, skips, decoded }: WorkerReport, handlers: LaneConnectionHandlers): void {
    this.behindMs = behindMs;
    this.skips = skips;
    this.decoded = decoded;
    for (const event of events) {
      if (event.kind === 'announced') {
        handlers.announced(event.announcement, event.ids);
        continue;
      }
      this.connected = event.kind === 'connected';
      handlers[event.kind]();
    }
    handlers.pictures(lanes);
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message);
  }
}
