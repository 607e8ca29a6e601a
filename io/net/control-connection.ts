import type { Socket } from 'node:net';
import { TextDecoder } from 'node:util';
import type { Parsed } from '../../protocol/base/parsed.ts';
import { RateBudget } from '../../protocol/base/rate-budget.ts';
import { milliseconds } from '../../protocol/base/units.ts';
import { ControlDeframer, serializeControlFrame } from '../../protocol/control/control-framing.ts';
import {
  type ControlMessage,
  presentable,
  REASON_CHARACTERS_MAX,
  serializeControlMessage,
  type UnrecognizedMessage,
} from '../../protocol/control/control-message.ts';
import { now } from '../os/clock.ts';
import { causeOf } from '../os/failure.ts';
import { isTlsClient } from './secure-channel.ts';

export interface ControlConnectionOptions<Incoming extends ControlMessage> {
  readonly socket: Socket;
  /** Parses the messages of the peer and rejects all others. */
  readonly parse: (text: string) => Parsed<Incoming | UnrecognizedMessage>;
  readonly onMessage: (message: Incoming) => void;
  /** Called when bytes have arrived, before their messages. */
  readonly onHeard?: () => void;
  /** Last message to a peer of another version or with an invalid message; without it the peer is disconnected. */
  readonly lastWord?: (reason: string) => ControlMessage | undefined;
  /** Called once when the connection is over. `cause`: why the peer was disconnected, or the network error. */
  readonly onClose: (cause: string | undefined) => void;
}

/**
 * Silence after which a peer counts as disconnected, milliseconds: receivers report every second, and senders answer.
 */
export const SILENCE_MS_MAX = 15_000;
/** Interval of keep-alive messages, milliseconds. */
const KEEP_ALIVE_MS = 4_000;
/** Limit of unsent bytes: a peer that does not read its messages is disconnected. */
const UNSENT_BYTES_MAX = 1_000_000;
/** Time limit for sending the last message, milliseconds. */
const CLOSE_TIMEOUT_MS = 500;

const FRAMING_VERSION = 'unsupported framing version (expected 1)';

const NO_TLS = 'this stream is not encrypted';

/** Limit of the receive rate, bytes per second; a receiver sends 300. */
const BYTES_PER_SECOND = 16_000;
/** Limit of a received burst, bytes: the longest message, and some seconds of commands from a page. */
const BURST_BYTES = 128_000;
/** Cost of each message in the receive rate, in addition to its length, bytes. */
const MESSAGE_OVERHEAD_BYTES = 100;

const isRecognized = <Incoming extends ControlMessage>(message: Incoming | UnrecognizedMessage): message is Incoming =>
  message.kind !== 'unrecognized';

/** Control messages over one TCP connection: framed, validated, bounded in both directions. */
export class ControlConnection<Incoming extends ControlMessage> {
  readonly #options: ControlConnectionOptions<Incoming>;
  readonly #socket: Socket;
  readonly #deframer = new ControlDeframer();
  readonly #budget = new RateBudget({ perSecond: BYTES_PER_SECOND, burst: BURST_BYTES });
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  readonly #keepAlive: NodeJS.Timeout;
  #heardAt = now();
  #cause: string | undefined;
  #closed = false;
  #detached = false;
  /** True after the last message has been sent; nothing more is read. */
  #rejected = false;

  constructor(options: ControlConnectionOptions<Incoming>) {
    this.#options = options;
    this.#socket = options.socket;
    this.#socket.setNoDelay(true);
    this.#socket.on('data', this.#onData);
    // Half-close: the peer will send no more messages, so the connection is closed.
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
    if (this.#socket.writableLength > UNSENT_BYTES_MAX) return this.cut('the peer does not read its messages');
    let text: string;
    try {
      text = serializeControlMessage(message);
    } catch (error) {
      // An internal error, possibly provoked by the peer: it ends this connection only.
      return this.cut(`cannot encode a message to the peer: ${causeOf(error)}`);
    }
    this.#socket.write(serializeControlFrame(Buffer.from(text)));
  }

  /** Sends a goodbye or another last message, then closes. */
  async farewell(message: ControlMessage): Promise<void> {
    if (this.#closed || this.#detached) return;
    this.send(message);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        this.#socket.destroy();
        resolve();
      }, CLOSE_TIMEOUT_MS);
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

  /** Releases the socket to the caller, for use by another protocol. */
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
    if (now() - this.#heardAt > milliseconds(SILENCE_MS_MAX)) this.cut('timeout: no message from the peer');
    else this.send({ kind: 'keep-alive' });
  }

  readonly #onData = (bytes: Buffer): void => {
    if (this.#rejected) return;
    this.#heardAt = now();
    this.#options.onHeard?.();
    const bodies = this.#deframer.push(bytes);
    if (!bodies.ok) {
      const cause = `the peer sent an invalid control message: ${bodies.malformed}`;
      if (bodies.malformed === 'version') return this.#reject(cause, FRAMING_VERSION);
      return isTlsClient(bytes)
        ? this.#reject('the peer started TLS; this endpoint is not encrypted', NO_TLS)
        : this.cut(cause);
    }
    for (const body of bodies.value) {
      if (!this.#budget.spend(now(), body.length + MESSAGE_OVERHEAD_BYTES)) {
        return this.cut('it sent control messages faster than they are read');
      }
      // After a disconnect, later messages are ignored.
      if (this.#socket.destroyed || this.#detached || this.#rejected) return;
      this.#handleBody(body);
    }
  };

  #handleBody(body: Uint8Array): void {
    let text: string;
    try {
      text = this.#decoder.decode(body);
    } catch {
      return this.cut('the peer sent a control message that is not UTF-8');
    }
    const message = this.#options.parse(text);
    if (!message.ok) {
      const cause = `the peer sent an unknown control message: ${message.malformed}`;
      return this.#reject(cause, `unsupported control message: ${message.malformed}`);
    }
    const { value } = message;
    if (isRecognized(value) && value.kind !== 'keep-alive') this.#options.onMessage(value);
  }

  /** Disconnects the peer. @param cause for the log. @param reason for the peer. */
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
