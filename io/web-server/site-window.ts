import { WebSocket } from 'ws';
import type { Importance } from '../../protocol/access-unit.ts';
import type { BacklogGate } from './backlog-gate.ts';

export interface SiteWindowOptions<Command> {
  readonly socket: WebSocket;
  /** Parses a text from the window; `undefined` when it is not a command. */
  readonly parse: (text: string) => Command | undefined;
  readonly onCommand: (command: Command) => void;
  /** Called once, with the reason if the window was disconnected. */
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
      this.#fault ??= 'it sent an invalid command';
      socket.close(1008, 'not a command');
    });
    // Too large, not UTF-8, or an invalid frame (RFC 6455): ws closes the connection, and `close` follows.
    socket.on('error', (error) => {
      this.#fault ??= error.message;
    });
    socket.once('close', () => onEnd(this.#fault));
  }

  /** Bytes queued for this window. */
  get queuedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  /** Closes the connection in an orderly way; `terminate` enforces it later. */
  end(): void {
    this.#socket.close(1000, 'ended');
  }

  /** Disconnects the window. @param fault reason, for the log. */
  terminate(fault?: string): void {
    this.#fault ??= fault;
    this.#socket.terminate();
  }

  /**
   * @param queueBytesMax limit of the backlog, bytes, above which the text is not sent.
   * @returns true when it was sent.
   */
  protected sendText(text: string, queueBytesMax = Number.POSITIVE_INFINITY): boolean {
    return this.#send(text, queueBytesMax);
  }

  /**
   * Returns false when the message was not sent.
   * @param queueBytesMax limit of the backlog, bytes, above which it is not sent.
   */
  protected sendBytes(message: Uint8Array, queueBytesMax: number): boolean {
    return this.#send(message, queueBytesMax);
  }

  /** False once the window has gone. */
  protected get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  #send(message: string | Uint8Array, queueBytesMax: number): boolean {
    if (!this.isOpen || this.#socket.bufferedAmount > queueBytesMax) return false;
    this.#socket.send(message);
    return true;
  }

  protected sendPicture(gate: BacklogGate, importance: Importance, message: Uint8Array): void {
    if (!this.isOpen) return;
    if (gate.admits(importance, this.#socket.bufferedAmount)) this.#socket.send(message);
  }
}
