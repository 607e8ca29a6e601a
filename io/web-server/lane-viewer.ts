import type { Importance } from '../../protocol/access-unit.ts';
import { type LaneCommand, parseLaneCommand } from '../../protocol/page/lane-command.ts';
import { LANES_MAX, type LaneAnnouncement } from '../../protocol/page/lane-message.ts';
import { BacklogGate } from './backlog-gate.ts';
import { SiteWindow, type SiteWindowOptions } from './site-window.ts';
import { WindowLag } from './window-lag.ts';

/** Limit of queued bytes: key frames of four lanes at 10 Mb/s. The socket buffers of the system come on top. */
const QUEUE_BYTES = 4_000_000;
/** Backlog, bytes, above which events and figures are not sent; pictures take precedence. */
const EVENTS_QUEUE_BYTES = 200_000;
/** Time without reading, while data waits, after which a window is disconnected, milliseconds. */
const SILENCE_MS_MAX = 20_000;

const newGate = (): BacklogGate => new BacklogGate({ queueMax: QUEUE_BYTES });

/** One window that shows the lanes. A slow window gets fewer pictures; one that stops reading is disconnected. */
export class LaneViewer extends SiteWindow<LaneCommand> {
  readonly #gates = Array.from({ length: LANES_MAX }, newGate);
  readonly #lag = new WindowLag();
  #emptyAt = performance.now();

  constructor(options: Omit<SiteWindowOptions<LaneCommand>, 'parse'>) {
    super({ ...options, parse: parseLaneCommand });
  }

  picture(importance: Importance, lane: number, message: Uint8Array): void {
    const gate = this.#gates[lane];
    if (gate && !this.#lag.isBehind(performance.now())) this.sendPicture(gate, importance, message);
  }

  /** Sends a frame of sound, unless so much waits that it would come too late. */
  sound(message: Uint8Array): void {
    if (!this.#lag.isBehind(performance.now())) this.sendBytes(message, EVENTS_QUEUE_BYTES);
  }

  /** Prepares for the pictures of a lane from its key frame on. */
  rejoin(lane: number): void {
    this.#gates[lane] = newGate();
  }

  /**
   * Records that the window has handled `events` messages.
   * @returns how far it was behind, milliseconds, when it has just caught up after a gap; `undefined` otherwise.
   */
  see(messages: number): number | undefined {
    return this.#lag.handled(messages, performance.now());
  }

  /** @param text of the announcement, serialized once for all windows */
  announce(kind: LaneAnnouncement['kind'], text: string): void {
    const isSent = this.sendText(text, kind === 'events' || kind === 'figures' ? EVENTS_QUEUE_BYTES : undefined);
    if (isSent && kind === 'events') this.#lag.sent(performance.now());
  }

  /** Disconnects a window that has stopped reading; called at intervals. */
  checkReading(): void {
    const at = performance.now();
    if (this.queuedBytes === 0) this.#emptyAt = at;
    if (at - this.#emptyAt >= SILENCE_MS_MAX) this.terminate('it stopped reading');
  }
}
