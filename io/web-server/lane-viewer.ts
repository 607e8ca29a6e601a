import type { Importance } from '../../protocol/access-unit.ts';
import { type LaneCommand, parseLaneCommand } from '../../protocol/page/lane-command.ts';
import { LANES_MAX, type LaneAnnouncement } from '../../protocol/page/lane-message.ts';
import { BacklogGate } from './backlog-gate.ts';
import { SiteWindow, type SiteWindowOptions } from './site-window.ts';

/** Limit of queued bytes: key frames of four lanes at 10 Mb/s. The socket buffers of the system come on top. */
const QUEUE_BYTES = 4_000_000;
/** Backlog, bytes, above which events and figures are not sent; pictures take precedence. */
const EVENTS_QUEUE_BYTES = 200_000;
/** Time without reading, while data waits, after which a window is disconnected, milliseconds. */
const SILENCE_MS_MAX = 20_000;

/** One window that shows the lanes. A slow window gets fewer pictures; one that stops reading is disconnected. */
export class LaneViewer extends SiteWindow<LaneCommand> {
  readonly #gates = Array.from({ length: LANES_MAX }, () => new BacklogGate({ queueBytes: QUEUE_BYTES }));
  #emptyAt = performance.now();

  constructor(options: Omit<SiteWindowOptions<LaneCommand>, 'parse'>) {
    super({ ...options, parse: parseLaneCommand });
  }

  picture(importance: Importance, lane: number, message: Uint8Array): void {
    const gate = this.#gates[lane];
    if (gate) this.sendPicture(gate, importance, message);
  }

  /** @param text of the announcement, serialized once for all windows */
  announce(kind: LaneAnnouncement['kind'], text: string): void {
    this.sendText(text, kind === 'events' || kind === 'figures' ? EVENTS_QUEUE_BYTES : undefined);
  }

  /** Disconnects a window that has stopped reading; called at intervals. */
  checkReading(): void {
    const at = performance.now();
    if (this.queuedBytes === 0) this.#emptyAt = at;
    if (at - this.#emptyAt >= SILENCE_MS_MAX) this.terminate('it stopped reading');
  }
}
