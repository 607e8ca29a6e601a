import { readUint16 } from '../../protocol/base/big-endian.ts';
import {
  earliestOf,
  type Instant,
  instant,
  later,
  type Microseconds,
  microseconds,
} from '../../protocol/base/units.ts';
import type { Endpoint } from '../../protocol/endpoint.ts';
import { naturalLog } from '../exact-mathematics.ts';
import { RandomStream } from '../random.ts';
import type { CongestionControlName } from '../tcp/congestion-control.ts';
import { TcpConnection } from '../tcp/connection.ts';
import { TCP_DEFAULTS, type TcpConnectionOptions, type TcpEvent } from '../tcp/tcp-options.ts';

export interface TcpDownloadOptions {
  readonly congestionControl: CongestionControlName;
  readonly seed: number;
  /** Name of the random streams, different for the downloads of one seed. */
  readonly name: string;
  readonly startsAt: Instant;
  /** The user closes the connection then, without waiting for the rest; `undefined`: never. */
  readonly stopsAt?: Instant;
  /** Sizes of the transfers, uniform between the two, bytes; `undefined`: one without end. */
  readonly transferBytes?: readonly [least: number, most: number];
  /** Mean of the exponential pause between two transfers, microseconds; `undefined`: one transfer. */
  readonly pause?: Microseconds;
}

/** Written ahead of the connection, bytes: enough to send at any time, without much memory. */
const UNSENT_BYTES = 64 * 1_448;
const CHUNK = new Uint8Array(UNSENT_BYTES);
/** Ports of the first transfer; each further one has the next, so that late segments of an earlier one are foreign. */
const SENDER_PORT = 20_000;
const RECEIVER_PORT = 40_000;
const TRANSFERS_MAX = 20_000;
/** RFC 9293 §3.1. */
const DESTINATION_PORT_OFFSET = 2;

const connection = (
  { congestionControl, seed }: TcpDownloadOptions,
  transfer: number,
  role: TcpConnectionOptions['role'],
): TcpConnection => {
  const [local, remote] = role === 'active' ? [SENDER_PORT, RECEIVER_PORT] : [RECEIVER_PORT, SENDER_PORT];
  return new TcpConnection({
    ...TCP_DEFAULTS,
    congestionControl,
    seed,
    role,
    localPort: local + (transfer % TRANSFERS_MAX),
    remotePort: remote + (transfer % TRANSFERS_MAX),
    initialSequence: role === 'active' ? 1_000 : 2_000,
  });
};

/** Sends data as fast as the modelled TCP allows: without end, or in transfers with pauses. */
export class DownloadSender implements Endpoint<never> {
  readonly #options: TcpDownloadOptions;
  readonly #sizes: RandomStream;
  readonly #pauses: RandomStream;
  #connection: TcpConnection | undefined;
  #transfer = 0;
  #bytesLeft = 0;
  #beginsAt: Instant | undefined;
  #isStopped = false;

  constructor(options: TcpDownloadOptions) {
    this.#options = options;
    this.#sizes = new RandomStream(options.seed, `${options.name}/size`);
    this.#pauses = new RandomStream(options.seed, `${options.name}/pause`);
    this.#beginsAt = options.startsAt;
  }

  handleDatagram(now: Instant, datagram: Uint8Array): void {
    this.#connection?.handleDatagram(now, datagram);
    this.#fill(now);
  }

  handleTimeout(now: Instant): void {
    const { stopsAt } = this.#options;
    if (stopsAt !== undefined && stopsAt <= now) this.#stop();
    if (this.#beginsAt !== undefined && this.#beginsAt <= now) this.#begin(now);
    this.#connection?.handleTimeout(now);
    this.#fill(now);
  }

  pollTransmit(now: Instant): Uint8Array | undefined {
    return this.#connection?.pollTransmit(now);
  }

  pollEvent(): undefined {
    return undefined;
  }

  pollTimeout(): Instant | undefined {
    if (this.#isStopped) return undefined;
    const next = earliestOf(this.#beginsAt, this.#connection?.pollTimeout());
    return earliestOf(next, this.#options.stopsAt);
  }

  #begin(now: Instant): void {
    const { transferBytes } = this.#options;
    this.#beginsAt = undefined;
    this.#connection = connection(this.#options, this.#transfer, 'active');
    this.#bytesLeft = Number.POSITIVE_INFINITY;
    if (transferBytes) {
      const [least, most] = transferBytes;
      this.#bytesLeft = least + Math.floor((this.#sizes.uint32(this.#transfer) * (most - least + 1)) / 0x1_0000_0000);
    }
    this.#connection.open(now);
  }

  #fill(now: Instant): void {
    const tcp = this.#connection;
    if (!tcp) return;
    while (this.#bytesLeft > 0 && tcp.unsentBytes < UNSENT_BYTES) {
      const bytes = Math.min(this.#bytesLeft, CHUNK.length);
      this.#bytesLeft -= bytes;
      tcp.write(now, CHUNK.subarray(0, bytes));
      if (this.#bytesLeft === 0) tcp.finish(now);
    }
    for (let event = tcp.pollEvent(); event; event = tcp.pollEvent()) {
      if (event.kind === 'closed' || event.kind === 'reset' || event.kind === 'timed-out') this.#end(now);
    }
  }

  #end(now: Instant): void {
    const { pause } = this.#options;
    if (pause === undefined) return;
    // (0, 1], so that the logarithm is finite.
    const draw = (this.#pauses.uint32(this.#transfer++) + 1) / 0x1_0000_0000;
    this.#beginsAt = later(now, microseconds(Math.round(-pause * naturalLog(draw))));
  }

  #stop(): void {
    this.#isStopped = true;
    this.#connection = undefined;
    this.#beginsAt = undefined;
  }
}

/** Receives what a `DownloadSender` with the same options sends. */
export class DownloadReceiver implements Endpoint<never> {
  readonly #options: TcpDownloadOptions;
  #connection: TcpConnection;
  #transfer = 0;
  #bytes = 0;

  constructor(options: TcpDownloadOptions) {
    this.#options = options;
    this.#connection = connection(options, 0, 'passive');
  }

  /** Bytes delivered in order so far. */
  get bytes(): number {
    return this.#bytes;
  }

  handleDatagram(now: Instant, datagram: Uint8Array): void {
    if (this.#isStopped(now)) return;
    // The next transfer begins, whether or not the end of this one was acknowledged.
    const isNext =
      readUint16(datagram, DESTINATION_PORT_OFFSET) === RECEIVER_PORT + ((this.#transfer + 1) % TRANSFERS_MAX);
    if (isNext) this.#connection = connection(this.#options, ++this.#transfer, 'passive');
    this.#connection.handleDatagram(now, datagram);
    this.#read(now);
  }

  handleTimeout(now: Instant): void {
    this.#connection.handleTimeout(now);
    this.#read(now);
  }

  pollTransmit(now: Instant): Uint8Array | undefined {
    return this.#isStopped(now) ? undefined : this.#connection.pollTransmit(now);
  }

  pollEvent(): undefined {
    return undefined;
  }

  pollTimeout(): Instant | undefined {
    const at = this.#connection.pollTimeout();
    return at === undefined || this.#isStopped(instant(at)) ? undefined : at;
  }

  #isStopped(now: Instant): boolean {
    const { stopsAt } = this.#options;
    return stopsAt !== undefined && now >= stopsAt;
  }

  #read(now: Instant): void {
    for (let event: TcpEvent | undefined = this.#connection.pollEvent(); event; event = this.#connection.pollEvent()) {
      if (event.kind === 'data') this.#bytes += event.bytes.length;
      else if (event.kind === 'finished') this.#connection.finish(now);
    }
  }
}
