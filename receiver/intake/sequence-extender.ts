import {
  CLOCK_RATE,
  type Instant,
  instant,
  type Microseconds,
  milliseconds,
  seconds,
  type Ticks,
  ticks,
  ticksToMicroseconds,
} from '../../protocol/base/units.ts';
import { toMediaTime, toRtpTicks } from '../../protocol/rtp/rtp-clock.ts';
import {
  asSequence,
  extend,
  extendTimestamp,
  type Sequence,
  timestampDistance,
  type WireSequence,
  type WireTimestamp,
  wireTimestamp,
} from '../../protocol/rtp/sequence.ts';

/** Extended position of a packet in the stream. */
export interface Place {
  readonly sequence: Sequence;
  readonly timestamp: Ticks;
  /** True when it is newer than all earlier packets. */
  readonly ahead: boolean;
  /** True when it is so far from the last packet that a second one must confirm it. */
  readonly leap: boolean;
}

interface Wire {
  readonly sequenceNumber: WireSequence;
  readonly wireTimestamp: WireTimestamp;
}

/** The first timestamp is assumed to lie between this before media time 0 and 13 hours (at 90 kHz) after it. */
const FIRST_BEFORE_SECONDS = 60;
/** When media time advanced by this during a silence while sequence numbers went back, they wrapped in an outage. */
const OUTAGE_MIN: Ticks = ticks(45_000);
const SILENCE_MIN: Microseconds = milliseconds(400);
/** A packet this far behind is not a straggler (RFC 3550 §A.1 uses 100; reordering in a fast stream is longer). */
const BEHIND_MAX = 30_000;
/** Longer losses in a row are rare; the next packet confirms them. */
const LEAP_PACKETS = 256;
/** Longest time by which a packet may be earlier than its media time suggests; a draining queue takes less. */
const LEAP_TIME: Microseconds = seconds(5);
/** Maximum distance between two packets that confirm each other, reordering included. */
const VOUCH_PACKETS = 64;

/**
 * Extends sequence numbers, once, on admission (RFC 3550 §A.1). A packet changes the state only when it is accepted, so
 * that a damaged or forged number does not affect later packets.
 */
export class SequenceExtender {
  readonly #clockRate: number;
  #timestampBase: WireTimestamp | undefined;
  #highest: Sequence | undefined;
  #newest: { readonly timestamp: Ticks; readonly at: Instant } | undefined;
  #acceptedAt: Instant = instant(0);

  /** @param start.clockRate RTP clock rate, ticks per second; 90,000 by default. */
  constructor(start: {
    readonly clockRate?: number;
    readonly initialSequence?: WireSequence | undefined;
    readonly timestampBase?: WireTimestamp | undefined;
  }) {
    if (start.initialSequence !== undefined) this.#highest = asSequence(start.initialSequence - 1);
    this.#clockRate = start.clockRate ?? CLOCK_RATE;
    this.#timestampBase = start.timestampBase;
  }

  /** Newest accepted sequence number, or the one before the first expected. */
  get highest(): Sequence | undefined {
    return this.#highest;
  }

  /**
   * @param framesAhead number of frames by which the packet is newer than the newest known; each has at least one
   * packet.
   * @returns `undefined` when the packet is too old for this stream.
   */
  place(now: Instant, wire: Wire, framesAhead: number): Place | undefined {
    const timestamp = this.#mediaTime(wire.wireTimestamp);
    const highest = this.#highest;
    if (highest === undefined)
      return { sequence: asSequence(wire.sequenceNumber), timestamp, ahead: true, leap: false };
    let sequence = extend(wire.sequenceNumber, highest);
    const newest = this.#newest;
    const outage =
      newest !== undefined && timestamp > newest.timestamp + OUTAGE_MIN && now - this.#acceptedAt > SILENCE_MIN;
    if (outage && sequence - highest < Math.max(framesAhead, 1)) sequence = asSequence(sequence + 0x1_0000);
    if (highest - sequence > BEHIND_MAX) return undefined;
    const early =
      newest !== undefined && ticksToMicroseconds(ticks(timestamp - newest.timestamp)) - (now - newest.at) > LEAP_TIME;
    return { sequence, timestamp, ahead: sequence > highest, leap: early || sequence - highest > LEAP_PACKETS };
  }

  /** Accepts a packet as part of the stream. */
  accept(now: Instant, { sequence, timestamp }: Place): void {
    this.#acceptedAt = now;
    this.#highest = asSequence(Math.max(this.#highest ?? sequence, sequence));
    if (this.#newest === undefined || timestamp > this.#newest.timestamp) this.#newest = { timestamp, at: now };
  }

  #mediaTime(wire: WireTimestamp): Ticks {
    this.#timestampBase ??= wire;
    const relative = wireTimestamp((wire - this.#timestampBase) >>> 0);
    const rate = this.#clockRate;
    const near = this.#newest ? toRtpTicks(this.#newest.timestamp, rate) : ticks(2 ** 31 - FIRST_BEFORE_SECONDS * rate);
    return toMediaTime(extendTimestamp(relative, near), rate);
  }
}

/** True when two packets after a jump confirm each other. */
export function vouch(one: Place, other: Place): boolean {
  const apart = Math.abs(other.sequence - one.sequence);
  const time = Math.abs(
    ticksToMicroseconds(timestampDistance(wireTimestamp(one.timestamp >>> 0), wireTimestamp(other.timestamp >>> 0))),
  );
  return apart > 0 && apart <= VOUCH_PACKETS && time < LEAP_TIME;
}
