import type { Instant } from '../../protocol/base/units.ts';
import { Link } from '../link/link.ts';
import type { LinkSpecification } from '../link/link-specification.ts';
import { Simulation } from '../simulation.ts';
import type { CongestionControlName } from './congestion-control.ts';
import { TcpConnection } from './connection.ts';
import type { SendingCounters } from './tcp-counters.ts';
import { RECEIVER_END, SENDER_END, TCP_DEFAULTS, type TcpEvent } from './tcp-options.ts';

export interface ByteTunnelOptions {
  readonly link: LinkSpecification;
  readonly congestionControl: CongestionControlName;
  /** Opening time of the connection, and zero point of the link's time. */
  readonly startsAt: Instant;
  /** IP header bytes, which the link adds to each segment. */
  readonly headerBytes: number;
  /** Size of the send buffer: written but unacknowledged bytes at which the sender is full. */
  readonly sendBufferBytes?: number;
}

/** Counters of a tunnel, forward direction. */
export interface ByteTunnelCounters extends SendingCounters {
  /** Segments that arrived at the receiver, with or without data. */
  readonly segmentsReceived: number;
}

/** Default send buffer limit of Linux (third value of `tcp_wmem`), bytes. */
const SEND_BUFFER_BYTES = 4 * 1_024 * 1_024;
/** A full buffer becomes writable again below this fraction of its size (`sk_stream_is_writeable`). */
const WRITABLE_SHARE = 2 / 3;

/**
 * A TCP connection over an impaired link as one state machine: bytes written at one end come out of the other in order,
 * as the modelled segments deliver them. The receiver opens the connection, as in the protocol.
 *
 * Internal events happen at their exact instants and in order even when the machine is called late, so timer latency of
 * a real clock does not affect the model.
 */
export class ByteTunnel {
  readonly #sender: TcpConnection;
  readonly #receiver: TcpConnection;
  readonly #forward: Link;
  readonly #simulation: Simulation<TcpEvent, TcpEvent>;
  readonly #toReceiver: Uint8Array[] = [];
  readonly #toSender: Uint8Array[] = [];
  readonly #sendBufferBytes: number;
  #isFull = false;
  #failure: 'timed-out' | 'reset' | undefined;

  constructor({ link, congestionControl, startsAt, headerBytes, sendBufferBytes }: ByteTunnelOptions) {
    const common = { ...TCP_DEFAULTS, congestionControl, seed: link.seed };
    this.#sender = new TcpConnection({ ...common, ...SENDER_END, role: 'passive' });
    this.#receiver = new TcpConnection({ ...common, ...RECEIVER_END, role: 'active' });
    this.#forward = new Link(link, 'forward', { startsAt, headerBytes });
    this.#sendBufferBytes = sendBufferBytes ?? SEND_BUFFER_BYTES;
    this.#simulation = new Simulation({
      sender: this.#sender,
      receiver: this.#receiver,
      forward: this.#forward,
      back: new Link(link, 'back', { startsAt, headerBytes }),
      scripts: [],
      onSenderEvent: (_now, event) => this.#note(event, this.#toSender),
      onReceiverEvent: (_now, event) => this.#note(event, this.#toReceiver),
    });
    this.#simulation.runUntil(startsAt);
    this.#receiver.open(startsAt);
    this.#simulation.runUntil(startsAt);
  }

  /** True while the send buffer is full. Bytes written in that state are buffered beyond the bound. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** Cause of a broken connection; `undefined` while it works. */
  get failure(): 'timed-out' | 'reset' | undefined {
    return this.#failure;
  }

  /** `undefined` before the handshake completes. */
  get counters(): ByteTunnelCounters | undefined {
    const counters = this.#sender.counters;
    return counters && { ...counters, segmentsReceived: this.#forward.counters.delivered };
  }

  /** Writes from the sender. The tunnel takes ownership of the bytes. */
  writeForward(now: Instant, bytes: Uint8Array): void {
    this.#write(this.#sender, now, bytes);
  }

  /** Writes from the receiver. The tunnel takes ownership of the bytes. */
  writeBack(now: Instant, bytes: Uint8Array): void {
    this.#write(this.#receiver, now, bytes);
  }

  /** Returns the next bytes read by the receiver; call until `undefined`. */
  pollForward(): Uint8Array | undefined {
    return this.#toReceiver.shift();
  }

  /** Returns the next bytes read by the sender; call until `undefined`. */
  pollBack(): Uint8Array | undefined {
    return this.#toSender.shift();
  }

  handleTimeout(now: Instant): void {
    this.#run(now);
  }

  pollTimeout(): Instant | undefined {
    return this.#simulation.pollTimeout();
  }

  #write(end: TcpConnection, now: Instant, bytes: Uint8Array): void {
    this.#simulation.runUntil(now);
    end.write(now, bytes);
    this.#run(now);
  }

  #run(now: Instant): void {
    this.#simulation.runUntil(now);
    const bytes = this.#sender.unacknowledgedBytes;
    this.#isFull = bytes >= (this.#isFull ? this.#sendBufferBytes * WRITABLE_SHARE : this.#sendBufferBytes);
  }

  #note(event: TcpEvent, read: Uint8Array[]): void {
    switch (event.kind) {
      case 'data':
        read.push(event.bytes);
        return;
      case 'timed-out':
      case 'reset':
        this.#failure ??= event.kind;
        return;
      case 'established':
      case 'malformed': // a corrupted segment fails its checksum and counts as lost
      case 'finished':
      case 'closed':
        return;
      default:
        event satisfies never;
    }
  }
}
