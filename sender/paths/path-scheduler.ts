import { readUint16, readUint32 } from '../../protocol/base/big-endian.ts';
import type { Instant } from '../../protocol/base/units.ts';
import { isRtcp } from '../../protocol/rtp/multiplex.ts';
import { parseRtpPacket } from '../../protocol/rtp/rtp-packet.ts';
import { asSequence, extend, type Sequence, wireSequence } from '../../protocol/rtp/sequence.ts';
import type { PathHealth } from './path-health.ts';

/** Distribution of a stream over two paths. */
export interface PathSchedulerOptions {
  readonly ssrc: number;
  readonly retransmissionSsrc?: number;
  readonly repairSsrc?: number;
  readonly initialSequence: number;
  /** `copied`: each datagram by both paths; `split`: each by one. */
  readonly distribution: 'copied' | 'split';
  /** Share of the media packets that leave by path 0 while both paths are up, 0 … 1. */
  readonly firstShare: number;
}

/** Paths by which a datagram leaves. */
export type PathChoice = 0 | 1 | 'both';

const NOT_SENT = 0xff;
/** Largest difference of the packets of both paths that later repair packets even out. */
const BALANCE_MAX = 256;

/**
 * Chooses the paths of each datagram. Media packets take turns by share; a repair packet takes the path with fewer
 * packets, so that a frame and as many repair packets put as many packets on each path as the frame has; a
 * retransmission takes the other path than the packet's last transmission. RTCP and the packets of other streams, which
 * are the sound, take both. Nothing but RTCP takes a path that is down.
 */
export class PathScheduler {
  readonly #options: PathSchedulerOptions;
  readonly #health: PathHealth;
  /** Path of the last transmission of each packet, by its wire sequence number. */
  readonly #lastPath = new Uint8Array(0x1_0000).fill(NOT_SENT);
  #highest: Sequence;
  #due = 0.5;
  /** Packets on path 0 minus packets on path 1, of those sent while both were up. */
  #balance = 0;

  constructor(options: PathSchedulerOptions, health: PathHealth) {
    this.#options = options;
    this.#health = health;
    this.#highest = asSequence(options.initialSequence - 1);
  }

  choose(now: Instant, datagram: Uint8Array): PathChoice {
    if (isRtcp(datagram)) return 'both';
    const { ssrc, retransmissionSsrc, repairSsrc, distribution } = this.#options;
    const own = readUint32(datagram, 8);
    if (own === ssrc) return this.#chooseForMedia(now, datagram);
    if (distribution === 'copied') return this.#onlyUp ?? 'both';
    if (own === retransmissionSsrc) return this.#chooseForRetransmission(datagram);
    return own === repairSsrc ? this.#chooseForRepair() : (this.#onlyUp ?? 'both');
  }

  /** The path that is up, when the other is down. */
  get #onlyUp(): 0 | 1 | undefined {
    if (this.#health.isSplit) return undefined;
    return this.#health.isUp(0) ? 0 : 1;
  }

  #chooseForMedia(now: Instant, datagram: Uint8Array): PathChoice {
    const sequence = extend(wireSequence(readUint16(datagram, 2)), this.#highest);
    if (sequence > this.#highest) this.#highest = sequence;
    const choice = this.#onlyUp ?? (this.#options.distribution === 'copied' ? 'both' : this.#turn());
    for (const path of [0, 1]) if (choice === 'both' || choice === path) this.#health.onMedia(now, path, sequence);
    this.#lastPath[wireSequence(sequence)] = choice === 'both' ? NOT_SENT : choice;
    return choice;
  }

  #turn(): 0 | 1 {
    this.#due += this.#options.firstShare;
    const path = this.#due >= 1 ? 0 : 1;
    if (path === 0) this.#due -= 1;
    return this.#weigh(path);
  }

  #chooseForRepair(): PathChoice {
    return this.#onlyUp ?? this.#weigh(this.#balance > 0 ? 1 : 0);
  }

  #weigh(path: 0 | 1): 0 | 1 {
    const balance = this.#balance + (path === 0 ? 1 : -1);
    this.#balance = Math.max(-BALANCE_MAX, Math.min(BALANCE_MAX, balance));
    return path;
  }

  /** A retransmission has the sequence number of the original in front of its payload (RFC 4588 §4). */
  #chooseForRetransmission(datagram: Uint8Array): PathChoice {
    const packet = parseRtpPacket(datagram);
    if (!packet.ok || packet.value.payload.length < 2) return this.#onlyUp ?? 0;
    const original = readUint16(packet.value.payload, 0);
    const path = this.#onlyUp ?? (this.#lastPath[original] === 0 ? 1 : 0);
    this.#lastPath[original] = path;
    return path;
  }
}
