import type { Socket } from 'node:net';
import { TextDecoder } from 'node:util';
import type { Parsed } from '../../protocol/base/parsed.ts';
import { ControlDeframer, serializeControlFrame } from '../../protocol/control/control-framing.ts';
import {
  type ControlMessage,
  presentable,
  REASON_CHARACTERS_MAX,
  serializeControlMessage,
  type UnrecognizedMessage,
} from '../../protocol/control/control-message.ts';
import { now } from '../os/clock.ts';

export interface ControlConnectionOptions<Incoming extends ControlMessage> {
  readonly socket: Socket;
  /** Reads the messages of the other side and refuses all else. */
  readonly parse: (text: string) => Parsed<Incoming | UnrecognizedMessage>;
  readonly onMessage: (message: Incoming) => void;
  /** The last word to a peer of another version, or one whose message cannot be taken; without one it is cut off. */
  readonly lastWord?: (reason: string) => ControlMessage | undefined;
  /** Called once: the connection is over. `cause` is why the peer was cut off, or what the network said. */
  readonly onClose: (cause: string | undefined) => void;
}

/** A peer that is silent for so long is gone: a receiver reports every second, a sender answers. */
export const SILENCE_MS_MAX = 15_000;
/** How often something is said when there is nothing to say. */
const KEEP_ALIVE_MS = 4_000;
/** A peer that does not read its messages is cut off before they pile up. */
const UNSENT_BYTES_MAX = 1_000_000;
/** How long our last message may take to leave. */
const FAREWELL_MS = 500;

const FRAMING_VERSION = 'the version in the first bytes is not 1, which is the one spoken here';

const isRecognized = <Incoming extends ControlMessage>(message: Incoming | UnrecognizedMessage): message is Incoming =>
  message.kind !== 'unrecognized';

/** Control messages on one TCP connection: framed, checked, bounded both ways. */
export class ControlConnection<Incoming extends ControlMessage> {
  readonly #options: ControlConnectionOptions<Incoming>;
  readonly #socket: Socket;
  readonly #deframer = new ControlDeframer();
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  readonly #keepAlive: NodeJS.Timeout;
  #heardAt = now();
  #cause: string | undefined;
  #closed = false;
  #detached = false;
  /** The last word has been said, and nothing more is heard. */
  #rejected = false;

  constructor(options: ControlConnectionOptions<Incoming>) {
    this.#options = options;
    this.#socket = options.socket;
    this.#socket.setNoDelay(true);
    this.#socket.on('data', this.#onData);
    // Half-close: the peer has said all it will; what it still owed us ends with it.
    this.#socket.on('end', this.#onEnd);
    this.#socket.on('error', this.#onError);
    this.#socket.on('close', this.#onClosed);
    this.#keepAlive = setInterval(() => this.#tick(), KEEP_ALIVE_MS);
  }

  get closed(): boolean {
    return this.#closed;
  }

  send(message: ControlMessage): void {
    if (this.#closed || this.#detached || this.#socket.writableEnded) return;
    if (this.#socket.writableLength > UNSENT_BYTES_MAX) return this.cut('it does not read its messages');
    this.#socket.write(serializeControlFrame(Buffer.from(serializeControlMessage(message))));
  }

  /** Says goodbye (or another last word) and closes once that has left. */
  async farewell(message: ControlMessage): Promise<void> {
    if (this.#closed || this.#detached) return;
    this.send(message);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        this.#socket.destroy();
        resolve();
      }, FAREWELL_MS);
      this.#socket.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      this.#socket.end();
    });
  }

  /** Closes at once. */
  cut(cause: string): void {
    this.#cause ??= cause;
    this.#socket.destroy();
  }

  /** The connection carries something else from here on; the socket is the caller's. */
  detach(): Socket {
    this.#detached = true;
    clearInterval(this.#keepAlive);
    this.#socket.off('data', this.#onData);
    this.#socket.off('end', this.#onEnd);
    this.#socket.off('error', this.#onError);
    this.#socket.off('close', this.#onClosed);
    return this.#socket;
  }

  #tick(): void {
    if (now() - this.#heardAt > SILENCE_MS_MAX * 1_000) this.cut('it was silent for too long');
    else this.send({ kind: 'keep-alive' });
  }

  readonly #onData = (bytes: Buffer): void => {
    if (this.#rejected) return;
    this.#heardAt = now();
    const bodies = this.#deframer.push(bytes);
    if (!bodies.ok) {
      const cause = `it sent what is no control message: ${bodies.malformed}`;
      return bodies.malformed === 'version' ? this.#reject(cause, FRAMING_VERSION) : this.cut(cause);
    }
    for (const body of bodies.value) {
      // Nothing that stands behind the message it was cut off for is heard.
      if (this.#socket.destroyed || this.#detached || this.#rejected) return;
      this.#handleBody(body);
    }
  };

  #handleBody(body: Uint8Array): void {
    let text: string;
    try {
      text = this.#decoder.decode(body);
    } catch {
      return this.cut('it sent a control message that is no UTF-8');
    }
    const message = this.#options.parse(text);
    if (!message.ok) {
      const cause = `it sent a control message that is not understood: ${message.malformed}`;
      return this.#reject(cause, `a control message is not understood here: ${message.malformed}`);
    }
    const { value } = message;
    if (isRecognized(value) && value.kind !== 'keep-alive') this.#options.onMessage(value);
  }

  /** @param cause for our log. @param reason for the peer. */
  #reject(cause: string, reason: string): void {
    const lastWord = this.#options.lastWord?.(presentable(reason, REASON_CHARACTERS_MAX));
    if (lastWord === undefined) return this.cut(cause);
    this.#cause ??= cause;
    this.#rejected = true;
    void this.farewell(lastWord);
  }

  readonly #onEnd = (): void => {
    this.#socket.end();
  };

  readonly #onError = (error: Error): void => {
    this.#cause ??= error.message;
  };

  readonly #onClosed = (): void => {
    this.#closed = true;
    clearInterval(this.#keepAlive);
    this.#options.onClose(this.#cause);
  };
}
