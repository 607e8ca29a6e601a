import type { Importance } from '../../protocol/access-unit.ts';
import { type LaneCommand, parseLaneCommand } from '../../protocol/page/lane-command.ts';
import { LANES_MAX, type LaneAnnouncement } from '../../protocol/page/lane-message.ts';
import { BacklogGate } from './backlog-gate.ts';
import { SiteWindow, type SiteWindowOptions } from './site-window.ts';

/** Four lanes' keyframes at 10 Mb/s. What the system's own socket buffers hold comes on top. */
const QUEUE_BYTES = 4_000_000;
/** Events and figures are worth less than pictures: they are not sent while this much waits. */
const EVENTS_QUEUE_BYTES = 200_000;
/** A window that has read nothing for so long while something waited is gone, whatever its connection says. */
const SILENCE_MS_MAX = 20_000;

/** One window that watches the lanes: it gets what it reads in time, and is cut off when it reads nothing. */
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

  /** Ends a window that stopped reading; to be called now and then. */
  checkReading(): void {
    const at = performance.now();
    if (this.queuedBytes === 0) this.#emptyAt = at;
    if (at - this.#emptyAt >= SILENCE_MS_MAX) this.terminate('it reads nothing');
  }
}
