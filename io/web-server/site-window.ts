import { WebSocket } from 'ws';
import type { Importance } from '../../protocol/access-unit.ts';
import type { BacklogGate } from './backlog-gate.ts';

export interface SiteWindowOptions<Command> {
  readonly socket: WebSocket;
  /** Reads a text that the window sent; `undefined` when it is no command. */
  readonly parse: (text: string) => Command | undefined;
  readonly onCommand: (command: Command) => void;
  /** Called once, with the reason when the window was cut off. */
  readonly onEnd: (fault?: string) => void;
}

/** The connection to one window of a page: commands in, texts and pictures out. */
export class SiteWindow<Command> {
  readonly #socket: WebSocket;
  #fault: string | undefined;

  constructor({ socket, parse, onCommand, onEnd }: SiteWindowOptions<Command>) {
    this.#socket = socket;
    socket.on('message', (message, isBinary) => {
      const command = isBinary ? undefined : parse(String(message));
      if (command !== undefined) return onCommand(command);
      this.#fault ??= 'sent what is no command';
      socket.close(1008, 'not a command');
    });
    // Too large, not UTF-8, a frame that breaks RFC 6455: ws closes the connection, `close` follows.
    socket.on('error', (error) => {
      this.#fault ??= error.message;
    });
    socket.once('close', () => onEnd(this.#fault));
  }

  /** Bytes that wait in our memory for this window. */
  get queuedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  /** Closes in an orderly way; `terminate` later makes sure. */
  end(): void {
    this.#socket.close(1000, 'ended');
  }

  /** Cuts the window off. @param fault reason, for the log */
  terminate(fault?: string): void {
    this.#fault ??= fault;
    this.#socket.terminate();
  }

  /** @param queueBytesMax the text is not sent while more than this waits */
  protected sendText(text: string, queueBytesMax = Number.POSITIVE_INFINITY): void {
    if (this.#socket.readyState !== WebSocket.OPEN || this.#socket.bufferedAmount > queueBytesMax) return;
    this.#socket.send(text);
  }

  protected sendPicture(gate: BacklogGate, importance: Importance, message: Uint8Array): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    if (gate.admits(importance, this.#socket.bufferedAmount)) this.#socket.send(message);
  }
}
