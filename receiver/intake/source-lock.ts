import {
  type Instant,
  instant,
  type Microseconds,
  milliseconds,
  seconds,
  ticksToMicroseconds,
} from '../../protocol/base/units.ts';
import type { Codec } from '../../protocol/codec/codec.ts';
import { toMediaTime } from '../../protocol/rtp/rtp-clock.ts';
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
 * `present`: belongs to the stream; `new`: starts a stream, together with the packet before it if that was `held`;
 * `foreign`: neither; `held`: undecided.
 */
export type SourceVerdict = 'present' | 'new' | 'foreign' | 'held' | 'held-also';

/** A source silent for this long can be replaced by another. */
const SILENCE: Microseconds = seconds(1);
/**
 * When media time and clock diverge by more than this from one packet to the next, a new timeline has begun: the sender
 * restarted, looped, or resumed after a pause. Measurements of the old timeline would hold every frame for too long or
 * drop it as late.
 */
const JUMP: Microseconds = seconds(2);
/** A packet that far behind the newest is no straggler (RFC 3550 §A.1, MAX_MISORDER): the second of two in order is a new start. */
const BEHIND_MAX = 100;
/** A packet from behind, this long after the newest one, is not a straggler either. */
const STRAGGLER_MAX: Microseconds = milliseconds(100);
/** As many of those in order, with nothing newer between them, are a new start. */
const RUN = 5;
/**
 * More packets than this are not lost within a second (RFC 3550 §A.1, MAX_DROPOUT): numbers that jump ahead are a new
 * start.
 */
const AHEAD_MAX = 3_000;
/** Packets of one run follow each other within so many numbers. */
const STEP_MAX = 16;

/** First dynamic payload type (RFC 3551 §3). */
const DYNAMIC_MIN = 96;

interface Newest {
  readonly at: Instant;
  readonly sequenceNumber: WireSequence;
  readonly timestamp: WireTimestamp;
}

type Header = Pick<RtpPacket, 'ssrc' | 'payloadType' | 'sequenceNumber' | 'timestamp' | 'payload'>;

/**
 * Selects the stream among the packets on a port, and detects the start of another stream. For senders without a
 * control channel.
 */
export class SourceLock {
  readonly #codec: Codec;
  readonly #payloadType: number | undefined;
  #source: { readonly ssrc: number; readonly payloadType: number } | undefined;
  #newest: Newest = { at: instant(0), sequenceNumber: wireSequence(0), timestamp: wireTimestamp(0) };
  #lastAt: Instant = instant(0);
  /** A packet after a sequence jump; a second one near it confirms it. */
  #leaped: Newest | undefined;
  /** Packets in order, in a place where the stream was not expected. */
  #run: { readonly last: WireSequence; readonly packets: number } | undefined;
  #left = false;

  /** @param payloadType of the stream; any dynamic one when absent. */
  constructor(codec: Codec, payloadType: number | undefined) {
    this.#codec = codec;
    this.#payloadType = payloadType;
  }

  get source(): { readonly ssrc: number; readonly payloadType: number } | undefined {
    return this.#source;
  }

  observe(now: Instant, packet: Header): SourceVerdict {
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

  /** Handles RTCP BYE (RFC 3550 §6.6): another source can take over at once. */
  handleGoodbye(ssrcs: readonly number[]): void {
    if (this.#source && ssrcs.includes(this.#source.ssrc)) this.#left = true;
  }

  #begin(now: Instant, packet: Header): 'new' {
    this.#source = { ssrc: packet.ssrc, payloadType: packet.payloadType };
    this.#left = false;
    this.#leaped = undefined;
    this.#run = undefined;
    this.#lastAt = now;
    this.#newest = newestOf(now, packet);
    return 'new';
  }

  #follow(now: Instant, packet: Header): SourceVerdict {
    this.#lastAt = now;
    const ahead = distance(this.#newest.sequenceNumber, packet.sequenceNumber);
    const since = now - this.#newest.at;
    if (ahead < -BEHIND_MAX || (ahead > AHEAD_MAX && since < SILENCE)) return this.#suspect(now, packet, 2);
    if (ahead <= 0) return since > STRAGGLER_MAX ? this.#suspect(now, packet, RUN) : 'present';
    this.#run = undefined;
    const { clockRate } = this.#codec;
    if (!leaps(this.#newest, now, packet, clockRate)) {
      this.#newest = newestOf(now, packet);
      this.#leaped = undefined;
      return 'present';
    }
    if (this.#leaped && !leaps(this.#leaped, now, packet, clockRate)) return this.#begin(now, packet);
    this.#leaped = newestOf(now, packet);
    return 'held';
  }

  /** Counts consecutive packets outside the present numbering; `enough` of them indicate a restarted stream. */
  #suspect(now: Instant, packet: Header, enough: number): SourceVerdict {
    const step = this.#run ? distance(this.#run.last, packet.sequenceNumber) : 0;
    const packets = this.#run && step > 0 && step <= STEP_MAX ? this.#run.packets + 1 : 1;
    if (packets >= enough) return this.#begin(now, packet);
    this.#run = { last: packet.sequenceNumber, packets };
    return packets === 1 ? 'held' : 'held-also';
  }
}

const newestOf = (at: Instant, { sequenceNumber, timestamp }: Header): Newest => ({ at, sequenceNumber, timestamp });

function leaps(from: Newest, now: Instant, packet: Header, clockRate: number): boolean {
  const step = toMediaTime(timestampDistance(from.timestamp, packet.timestamp), clockRate);
  return Math.abs(ticksToMicroseconds(step) - (now - from.at)) > JUMP;
}
