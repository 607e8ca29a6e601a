import type { Instant } from '../../protocol/base/instant.ts';
import { Link } from '../link/link.ts';
import type { LinkSpecification } from '../link/link-specification.ts';
import { Simulation } from '../simulation.ts';
import type { CongestionControlName } from './congestion-control.ts';
import { TcpConnection } from './connection.ts';
import type { SendingCounters } from './tcp-counters.ts';
import { TCP_DEFAULTS, type TcpEvent } from './tcp-options.ts';

export interface ByteTunnelOptions {
  readonly link: LinkSpecification;
  readonly congestionControl: CongestionControlName;
  /** When the connection is opened, and the link's time begins. */
  readonly startsAt: Instant;
  /** Bytes of IP's header, which the link adds to each segment. */
  readonly headerBytes: number;
  /** What the sender's end holds before it is full: bytes written that are not acknowledged. */
  readonly sendBufferBytes?: number;
}

/** What a tunnel did in the direction to the receiver. */
export interface ByteTunnelCounters extends SendingCounters {
  /** Segments that came to the receiver, with data or without. */
  readonly segmentsReceived: number;
}

/** The default limit of Linux (`tcp_wmem`, third number). */
const SEND_BUFFER_BYTES = 4 * 1_024 * 1_024;
/** A full buffer takes more once it has emptied to this share (`sk_stream_is_writeable`). */
const WRITABLE_SHARE = 2 / 3;
/** Known to nobody: the connection begins and ends in one process. */
const SENDER_PORT = 5_004;
const RECEIVER_PORT = 6_004;

/**
 * A TCP connection over an impaired link as one machine: bytes go in at one end and come out of the other in order,
 * when the modelled segments have brought them. The receiver opens it, as it does in the protocol.
 *
 * Everything inside happens at its own instant, in order, however late the machine is called: on a real clock, the
 * model does not notice a timer that rings late.
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
    const [sender, receiver] = [
      { localPort: SENDER_PORT, remotePort: RECEIVER_PORT, initialSequence: 1_000 },
      { localPort: RECEIVER_PORT, remotePort: SENDER_PORT, initialSequence: 2_000 },
    ] as const;
    this.#sender = new TcpConnection({ ...common, ...sender, role: 'passive' });
    this.#receiver = new TcpConnection({ ...common, ...receiver, role: 'active' });
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

  /** The sender's end takes no more for now: what is written all the same is held, beyond the bound. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** Why nothing will come any more. */
  get failure(): 'timed-out' | 'reset' | undefined {
    return this.#failure;
  }

  /** `undefined` before the handshake is over. */
  get counters(): ByteTunnelCounters | undefined {
    const counters = this.#sender.counters;
    return counters && { ...counters, segmentsReceived: this.#forward.counters.delivered };
  }

  /** The sender writes. The bytes are the tunnel's from now on. */
  writeForward(now: Instant, bytes: Uint8Array): void {
    this.#write(this.#sender, now, bytes);
  }

  /** The receiver writes. The bytes are the tunnel's from now on. */
  writeBack(now: Instant, bytes: Uint8Array): void {
    this.#write(this.#receiver, now, bytes);
  }

  /** What the receiver's end has read; call until `undefined`. */
  pollForward(): Uint8Array | undefined {
    return this.#toReceiver.shift();
  }

  /** What the sender's end has read; call until `undefined`. */
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
      case 'malformed': // the link corrupts, and the checksum finds it: a loss
      case 'finished':
      case 'closed':
        return;
      default:
        event satisfies never;
    }
  }
}
