import {
  type Instant,
  instant,
  type Microseconds,
  seconds,
  type Ticks,
  ticksToMicroseconds,
} from '../../protocol/base/units.ts';
import type { Codec } from '../../protocol/codec/codec.ts';
import type { RtpPacket } from '../../protocol/rtp/rtp-packet.ts';
import {
  distance,
  timestampDistance,
  type WireSequence,
  type WireTimestamp,
  wireSequence,
  wireTimestamp,
} from '../../protocol/rtp/sequence.ts';

/**
 * `present`: it is the stream's; `new`: a stream begins with it, and with the packet before it where that one was
 * `held` back; `foreign`: neither, or not sure yet.
 */
export type Verdict = 'present' | 'new' | 'foreign' | 'held';

/** A source that is silent for so long makes room for another one. */
const SILENCE: Microseconds = seconds(1);
/**
 * Media time that runs away from the clock by more than this from one packet to the next is another timeline: the sender
 * began anew, looped, or went on after a pause. What was measured of the old one would hold every frame for too long,
 * or drop it for being late.
 */
const JUMP: Microseconds = seconds(2);
/** RFC 3551 §3: payload types that a session assigns. */
const DYNAMIC_MIN = 96;

interface Newest {
  readonly at: Instant;
  readonly sequenceNumber: WireSequence;
  readonly timestamp: WireTimestamp;
}

type Header = Pick<RtpPacket, 'ssrc' | 'payloadType' | 'sequenceNumber' | 'timestamp' | 'payload'>;

/** Which of the packets that strangers send to a port are the stream's, and where another stream begins. */
export class SourceLock {
  readonly #codec: Codec;
  readonly #payloadType: number | undefined;
  #source: { readonly ssrc: number; readonly payloadType: number } | undefined;
  #newest: Newest = { at: instant(0), sequenceNumber: wireSequence(0), timestamp: wireTimestamp(0) };
  #lastAt: Instant = instant(0);
  /** A packet that leaped; a second one from where it landed makes it credible. */
  #leaped: Newest | undefined;
  #left = false;

  /** @param payloadType the stream's; without it, any dynamic one. */
  constructor(codec: Codec, payloadType: number | undefined) {
    this.#codec = codec;
    this.#payloadType = payloadType;
  }

  get source(): { readonly ssrc: number; readonly payloadType: number } | undefined {
    return this.#source;
  }

  observe(now: Instant, packet: Header): Verdict {
    const { ssrc, payloadType } = packet;
    const wanted = this.#payloadType === undefined ? payloadType >= DYNAMIC_MIN : payloadType === this.#payloadType;
    if (!wanted) return 'foreign';
    const source = this.#source;
    const silent = now - this.#lastAt > SILENCE;
    if (source?.ssrc === ssrc && source.payloadType === payloadType) {
      if (this.#left && silent) return this.#begin(now, packet);
      return this.#follow(now, packet);
    }
    if (source && !this.#left && !silent) return 'foreign';
    return this.#codec.recognizes(packet.payload) ? this.#begin(now, packet) : 'foreign';
  }

  /** RTCP's BYE (RFC 3550 §6.6): whoever comes next may begin at once. */
  handleGoodbye(ssrcs: readonly number[]): void {
    if (this.#source && ssrcs.includes(this.#source.ssrc)) this.#left = true;
  }

  #begin(now: Instant, packet: Header): 'new' {
    this.#source = { ssrc: packet.ssrc, payloadType: packet.payloadType };
    this.#left = false;
    this.#leaped = undefined;
    this.#lastAt = now;
    this.#newest = newestOf(now, packet);
    return 'new';
  }

  #follow(now: Instant, packet: Header): Verdict {
    this.#lastAt = now;
    if (distance(this.#newest.sequenceNumber, packet.sequenceNumber) <= 0) return 'present';
    if (!leaps(this.#newest, now, packet)) {
      this.#newest = newestOf(now, packet);
      this.#leaped = undefined;
      return 'present';
    }
    if (this.#leaped && !leaps(this.#leaped, now, packet)) return this.#begin(now, packet);
    this.#leaped = newestOf(now, packet);
    return 'held';
  }
}

const newestOf = (at: Instant, { sequenceNumber, timestamp }: Header): Newest => ({ at, sequenceNumber, timestamp });

function leaps(from: Newest, now: Instant, packet: Header): boolean {
  const step: Ticks = timestampDistance(from.timestamp, packet.timestamp);
  return Math.abs(ticksToMicroseconds(step) - (now - from.at)) > JUMP;
}
