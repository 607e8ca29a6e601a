import type { Socket } from 'node:net';
import { now } from '../../io/os/clock.ts';
import { RateBudget } from '../../protocol/base/rate-budget.ts';
import { elapsed, type Instant, type Microseconds, seconds } from '../../protocol/base/units.ts';
import { isRtcp } from '../../protocol/rtp/multiplex.ts';
import {
  headerOf,
  interleaved,
  type RtspRequest,
  type RtspResponse,
  rtspAnswer,
  serializeRtsp,
} from '../../protocol/rtsp/rtsp-message.ts';
import { type RtspItem, RtspReader } from '../../protocol/rtsp/rtsp-reader.ts';
import type { PacketPair } from '../../protocol/rtsp/transport-header.ts';
import type { Backlog } from '../stream/backlog-budget.ts';
import { BacklogAge } from './backlog-age.ts';

export interface RtspConnectionOptions {
  readonly socket: Socket;
  /** Address and port of the player, as text. */
  readonly peer: string;
  /** Address of the player without the port. */
  readonly address: string;
  readonly onRequest: (request: RtspRequest) => RtspResponse;
  /** Called with a packet of the player on one of its channels. */
  readonly onPacket: (channel: number, packet: Uint8Array) => void;
  /** Called once when the connection is over. */
  readonly onClose: () => void;
}

/** The player at the other end of a connection. */
export interface RtspPeer extends Backlog {
  /** Address and port of the player, as text. */
  readonly peer: string;
  /** Address of the player without the port. */
  readonly address: string;
  /** Address of this end, as the player reaches it. */
  readonly localAddress: string;
  /** Time for which the oldest unsent packet has waited. */
  readonly backlogAge: Microseconds;
  /** Sends RTP and RTCP packets on their channels. */
  sendPackets(channels: PacketPair, packets: readonly Uint8Array[]): void;
  /** Closes after what has been written. */
  close(): Promise<void>;
}

/** Limit of requests; a player sends ten to start, and one every half minute. */
const REQUESTS_PER_SECOND = 50;
const REQUESTS_BURST = 200;
/** Answers that a player does not read, bytes: above it, its requests wait. */
const ANSWERS_BYTES_MAX = 64_000;
/** Limit of all that a player does not read, bytes: the connection is given up. */
const UNSENT_BYTES_MAX = 64_000_000;
/** Time limit of an incomplete request. */
const REQUEST_TIMEOUT: Microseconds = seconds(10);
/** Time limit for the last answer, milliseconds. */
const CLOSE_MS = 1_000;

/** One TCP connection of a player: requests, answers, and packets between them. */
export class RtspConnection implements RtspPeer {
  readonly #options: RtspConnectionOptions;
  readonly #socket: Socket;
  readonly #reader = new RtspReader();
  readonly #requests = new RateBudget({ perSecond: REQUESTS_PER_SECOND, burst: REQUESTS_BURST });
  readonly #backlog = new BacklogAge();
  #answersWaiting = 0;
  #heardAt: Instant = now();
  #incompleteSince: Instant | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: RtspConnectionOptions) {
    this.#options = options;
    this.#socket = options.socket;
    this.#socket.setNoDelay(true);
    this.#socket.on('data', (bytes: Buffer) => this.#take(bytes));
    // A player that has sent its last request may still read; nobody waits for that.
    this.#socket.on('end', () => void this.close());
    this.#socket.on('error', () => {}); // 'close' follows
    this.#socket.on('close', () => options.onClose());
  }

  get peer(): string {
    return this.#options.peer;
  }

  get address(): string {
    return this.#options.address;
  }

  get localAddress(): string {
    return this.#socket.localAddress ?? '0.0.0.0';
  }

  /** Arrival time of the last bytes. */
  get heardAt(): Instant {
    return this.#heardAt;
  }

  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  get backlogAge(): Microseconds {
    return this.#backlog.of(now(), this.#socket.writableLength);
  }

  sendPackets([rtp, rtcp]: PacketPair, packets: readonly Uint8Array[]): void {
    if (this.#socket.destroyed || this.#closed) return;
    if (this.#socket.writableLength > UNSENT_BYTES_MAX) return void this.#socket.destroy();
    this.#socket.cork();
    let bytes = 0;
    for (const packet of packets) {
      const framed = interleaved(isRtcp(packet) ? rtcp : rtp, packet);
      bytes += framed.length;
      this.#socket.write(framed);
    }
    this.#socket.uncork();
    this.#backlog.add(now(), bytes, this.#socket.writableLength);
  }

  /** Gives up on a request that does not end. */
  checkTimeout(at: Instant): void {
    if (this.#incompleteSince === undefined || elapsed(this.#incompleteSince, at) < REQUEST_TIMEOUT) return;
    this.#conclude(rtspAnswer(408, undefined, [['Connection', 'close']]));
  }

  async close(): Promise<void> {
    if (this.#socket.destroyed) return;
    this.#closed ??= new Promise<void>((resolve) => {
      const timer = setTimeout(() => this.#socket.destroy(), CLOSE_MS);
      this.#socket.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      this.#socket.end(() => this.#socket.destroy());
    });
    await this.#closed;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #take(bytes: Uint8Array): void {
    if (this.#closed) return;
    this.#heardAt = now();
    for (const item of this.#reader.push(bytes)) {
      if (this.#closed) return;
      this.#handle(item);
    }
    const { refusal } = this.#reader;
    if (refusal) {
      const why = Buffer.from(`${refusal.cause}\r\n`);
      const headers = [
        ['Content-Type', 'text/plain'],
        ['Connection', 'close'],
      ] as const;
      return this.#conclude(rtspAnswer(refusal.status, undefined, headers, why));
    }
    if (this.#reader.pendingBytes === 0) this.#incompleteSince = undefined;
    else this.#incompleteSince ??= this.#heardAt;
  }

  #handle(item: RtspItem): void {
    this.#incompleteSince = undefined;
    if (item.kind === 'interleaved') return this.#options.onPacket(item.channel, item.payload);
    // This server requests nothing of players, so that no response is awaited.
    if (item.kind === 'response') return;
    const sequence = headerOf(item, 'cseq');
    if (!this.#requests.spend(now(), 1)) return this.#conclude(rtspAnswer(503, sequence, [['Connection', 'close']]));
    this.#answer(this.#options.onRequest(item));
  }

  #conclude(answer: RtspResponse): void {
    this.#answer(answer);
    void this.close();
  }

  #answer(answer: RtspResponse): void {
    if (this.#socket.destroyed) return;
    const bytes = serializeRtsp(answer);
    this.#answersWaiting += bytes.length;
    this.#socket.write(bytes, () => {
      this.#answersWaiting -= bytes.length;
      if (this.#socket.isPaused() && this.#answersWaiting <= ANSWERS_BYTES_MAX / 2) this.#socket.resume();
    });
    this.#backlog.add(now(), bytes.length, this.#socket.writableLength);
    if (this.#answersWaiting > ANSWERS_BYTES_MAX) this.#socket.pause();
  }
}
