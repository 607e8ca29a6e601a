import {
  type Instant,
  instant,
  type Microseconds,
  milliseconds,
  seconds,
  type Ticks,
  ticks,
  ticksToMicroseconds,
} from '../../protocol/base/units.ts';
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

/** Where a packet stands in the stream, its roll-overs undone. */
export interface Place {
  readonly sequence: Sequence;
  readonly timestamp: Ticks;
  /** It is newer than every packet before it. */
  readonly ahead: boolean;
  /** It is so far from the last one that only a second packet from there makes it credible. */
  readonly leap: boolean;
}

interface Wire {
  readonly sequenceNumber: WireSequence;
  readonly wireTimestamp: WireTimestamp;
}

/** The first timestamp is taken to lie from a minute before media time 0 to 13 hours after it. */
const FIRST_TIMESTAMP_NEAR: Ticks = ticks(2 ** 31 - 60 * 90_000);
/** Media time that ran ahead by this in a silence, while sequence numbers fell behind: these wrapped in an outage. */
const OUTAGE_MIN: Ticks = ticks(45_000);
const SILENCE_MIN: Microseconds = milliseconds(400);
/** A packet this far behind is no straggler (RFC 3550 §A.1 has 100; a fast stream's reordering is longer). */
const BEHIND_MAX = 30_000;
/** More packets than this are rarely lost in a row; if they are, the next packet says so too. */
const LEAP_PACKETS = 256;
/** A packet comes no earlier than this before the last one's media time says; a queue that empties is shorter. */
const LEAP_TIME: Microseconds = seconds(5);
/** How far apart two packets may be that vouch for each other, reordering included. */
const VOUCH_PACKETS = 64;

/**
 * Counts roll-overs, once, on admission (RFC 3550 §A.1). A packet moves the count only when it is accepted: a number
 * with a flipped bit, or a forged one, must not send everything after it astray.
 */
export class SequenceExtender {
  #timestampBase: WireTimestamp | undefined;
  #highest: Sequence | undefined;
  #newest: { readonly timestamp: Ticks; readonly at: Instant } | undefined;
  #acceptedAt: Instant = instant(0);

  constructor(start: {
    readonly initialSequence?: WireSequence | undefined;
    readonly timestampBase?: WireTimestamp | undefined;
  }) {
    if (start.initialSequence !== undefined) this.#highest = asSequence(start.initialSequence - 1);
    this.#timestampBase = start.timestampBase;
  }

  /** The newest sequence number accepted, or the one before the first that is expected. */
  get highest(): Sequence | undefined {
    return this.#highest;
  }

  /**
   * @param framesAhead by how many frames the packet is newer than the newest known; each of them has a packet.
   * @returns `undefined`: too old to be of this stream.
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

  /** The packet is one of the stream's. */
  accept(now: Instant, { sequence, timestamp }: Place): void {
    this.#acceptedAt = now;
    this.#highest = asSequence(Math.max(this.#highest ?? sequence, sequence));
    if (this.#newest === undefined || timestamp > this.#newest.timestamp) this.#newest = { timestamp, at: now };
  }

  #mediaTime(wire: WireTimestamp): Ticks {
    this.#timestampBase ??= wire;
    const relative = wireTimestamp((wire - this.#timestampBase) >>> 0);
    return extendTimestamp(relative, this.#newest?.timestamp ?? FIRST_TIMESTAMP_NEAR);
  }
}

/** Whether two packets that leaped come from the same place. */
export function vouch(one: Place, other: Place): boolean {
  const apart = Math.abs(other.sequence - one.sequence);
  const time = Math.abs(
    ticksToMicroseconds(timestampDistance(wireTimestamp(one.timestamp >>> 0), wireTimestamp(other.timestamp >>> 0))),
  );
  return apart > 0 && apart <= VOUCH_PACKETS && time < LEAP_TIME;
}
