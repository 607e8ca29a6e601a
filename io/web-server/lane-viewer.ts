import { WebSocket } from 'ws';
import type { Importance } from '../../protocol/access-unit.ts';
import { type LaneCommand, parseLaneCommand } from '../../protocol/page/lane-command.ts';
import { LANES_MAX, type LaneAnnouncement } from '../../protocol/page/lane-message.ts';
import { BacklogGate } from './backlog-gate.ts';

/** Four lanes' keyframes at 10 Mb/s. What the system's own socket buffers hold comes on top. */
const QUEUE_BYTES = 4_000_000;
/** Events and figures are worth less than pictures: they are not sent while this much waits. */
const EVENTS_QUEUE_BYTES = 200_000;
/** A window that has read nothing for so long while something waited is gone, whatever its connection says. */
const SILENCE_MS_MAX = 20_000;

/** One window that watches the lanes: it gets what it reads in time, and is cut off when it reads nothing. */
export class LaneViewer {
  readonly #socket: WebSocket;
  readonly #gates = Array.from({ length: LANES_MAX }, () => new BacklogGate({ queueBytes: QUEUE_BYTES }));
  #emptyAt = performance.now();
  #fault: string | undefined;

  /** `onEnd` is called once, with why when the window did something that it should not. */
  constructor(
    socket: WebSocket,
    on: { readonly command: (command: LaneCommand) => void; readonly end: (fault?: string) => void },
  ) {
    this.#socket = socket;
    socket.on('message', (message, isBinary) => {
      const command = isBinary ? undefined : parseLaneCommand(String(message));
      if (command !== undefined) return on.command(command);
      this.#fault ??= 'sent what is no command';
      socket.close(1008, 'not a command');
    });
    // Too large, not UTF-8, a frame that breaks RFC 6455: ws closes the connection, `close` follows.
    socket.on('error', (error) => {
      this.#fault ??= error.message;
    });
    socket.once('close', () => on.end(this.#fault));
  }

  /** Bytes that wait in our memory for this window. */
  get queuedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  picture(importance: Importance, lane: number, message: Uint8Array): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    if (this.#gates[lane]?.admits(importance, this.#socket.bufferedAmount)) this.#socket.send(message);
  }

  /** A text that was made once for all windows. */
  announce(kind: LaneAnnouncement['kind'], text: string): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    const dispensable = kind === 'events' || kind === 'figures';
    if (dispensable && this.#socket.bufferedAmount > EVENTS_QUEUE_BYTES) return;
    this.#socket.send(text);
  }

  /** Ends a window that stopped reading; to be called now and then. */
  checkReading(): void {
    const at = performance.now();
    if (this.#socket.bufferedAmount === 0) this.#emptyAt = at;
    if (at - this.#emptyAt < SILENCE_MS_MAX) return;
    this.#fault ??= 'it reads nothing';
    this.#socket.terminate();
  }

  end(): void {
    this.#socket.close(1000, 'ended');
  }

  terminate(): void {
    this.#socket.terminate();
  }
}
