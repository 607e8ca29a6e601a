import { type Instant, instant, type Microseconds, microseconds, SECOND } from '../protocol/base/units.ts';
import {
  carriesClock,
  clearClock,
  nullPacket,
  stampClock,
  TRANSPORT_PACKET_BYTES,
} from '../protocol/transport-stream.ts';

export interface ConstantRateOptions {
  /** Bits per second, of transport stream packets alone. */
  readonly rate: number;
  /** Departure of the first packet. */
  readonly begin: Instant;
  /** Returns the clock of the stream at an instant, 27 MHz. */
  readonly clockAt: (at: Instant) => number;
  /** Makes a packet with nothing but a clock. */
  readonly clockPacket: () => Uint8Array;
}

/** A datagram of a stream with a constant rate. */
export interface RateDatagram {
  readonly payload: Uint8Array;
  /** Departure of its first packet, on the clock of the stream. */
  readonly at: Instant;
}

/** Packets in a datagram, as other programs send them: 1,316 bytes, which fit Ethernet. */
export const PACKETS_PER_DATAGRAM = 7;
const PACKET_BITS = TRANSPORT_PACKET_BYTES * 8;
const DATAGRAM_BITS = PACKETS_PER_DATAGRAM * PACKET_BITS;
/** Longest time between two clocks: ISO/IEC 13818-1 §2.7.2 allows 100 ms, DVB (TS 101 154 §4.1.5.3) 40 ms. */
export const CLOCK_INTERVAL: Microseconds = microseconds(30_000);
/**
 * Lateness of a departure up to which its clock is the one of the even grid. What a busy machine sends later is stamped with
 * this much less than the instant at which it leaves: readers that measure clocks at their arrival follow those within 500 µs.
 */
export const CLOCK_LATE_MAX: Microseconds = microseconds(250);
/** Lateness above which departures are left out, as after a suspension: the clock goes on in its time. */
const LATE_MAX: Microseconds = microseconds(SECOND);

/**
 * Gives an MPEG-TS a constant bit rate: packets leave at even distances, null packets where there is nothing else, and each
 * clock (PCR) is the time at which its packet leaves, also where that is late. Only the first packet of a datagram has one, as the
 * others arrive with it.
 */
export class ConstantRate {
  readonly #options: ConstantRateOptions;
  /** True where the packets of a datagram take so long that those behind the first one need clocks too. */
  readonly #isSlow: boolean;
  readonly #queue: Uint8Array[] = [];
  #begin: Instant;
  /** Packets that have left since `#begin`. */
  #slot = 0;
  #clockedAt: Instant | undefined;
  /** Last packet that has left on each PID, for its continuity counter. */
  readonly #last = new Map<number, Uint8Array>();

  constructor(options: ConstantRateOptions) {
    this.#options = options;
    this.#isSlow = DATAGRAM_BITS * SECOND > options.rate * CLOCK_INTERVAL;
    this.#begin = options.begin;
  }

  /** Departure of the next datagram. */
  get dueAt(): Instant {
    return this.#timeOf(this.#slot);
  }

  /** Time until everything that waits has left. */
  get backlog(): Microseconds {
    return microseconds((this.#queue.length * PACKET_BITS * SECOND) / this.#options.rate);
  }

  /** Takes whole packets. */
  push(packets: Uint8Array): void {
    for (let at = 0; at < packets.length; at += TRANSPORT_PACKET_BYTES) {
      this.#queue.push(packets.subarray(at, at + TRANSPORT_PACKET_BYTES));
    }
  }

  /** Returns the next datagram when its time has come. */
  poll(now: Instant): RateDatagram | undefined {
    if (now < this.dueAt) return undefined;
    if (now - this.dueAt > LATE_MAX) {
      this.#begin = now;
      this.#slot = 0;
    }
    const earliest = instant(now - CLOCK_LATE_MAX);
    const at = latest(this.dueAt, earliest);
    const payload = new Uint8Array(PACKETS_PER_DATAGRAM * TRANSPORT_PACKET_BYTES);
    for (let index = 0; index < PACKETS_PER_DATAGRAM; index++) {
      const packet = payload.subarray(index * TRANSPORT_PACKET_BYTES, (index + 1) * TRANSPORT_PACKET_BYTES);
      const leavesAt = this.#timeOf(this.#slot++);
      const isClocked = index === 0 || this.#isSlow;
      packet.set(isClocked && this.#isClockDue(leavesAt) ? this.#clockPacket() : (this.#queue.shift() ?? nullPacket()));
      this.#last.set(pidOf(packet), packet);
      if (!carriesClock(packet)) continue;
      if (!isClocked) {
        clearClock(packet);
        continue;
      }
      stampClock(packet, this.#options.clockAt(latest(leavesAt, earliest)));
      this.#clockedAt = leavesAt;
    }
    return { payload, at };
  }

  /** True when a packet that leaves then must be a clock, as the next chance would be too late and the next packet has none. */
  #isClockDue(leavesAt: Instant): boolean {
    const head = this.#queue[0];
    if (head && carriesClock(head)) return false;
    if (this.#clockedAt === undefined) return true;
    const sinceLast = leavesAt - this.#clockedAt;
    if (this.#isSlow) return sinceLast >= CLOCK_INTERVAL;
    return sinceLast + (DATAGRAM_BITS * SECOND) / this.#options.rate > CLOCK_INTERVAL;
  }

  /** It leaves before packets that were made earlier: its counter is that of the packet before it (§2.4.3.3), the first of which has 0. */
  #clockPacket(): Uint8Array {
    const packet = this.#options.clockPacket();
    const before = this.#last.get(pidOf(packet));
    packet[3] = (packet[3]! & 0xf0) | (before ? before[3]! & 0x0f : 0x0f);
    return packet;
  }

  #timeOf(slot: number): Instant {
    return instant(this.#begin + (slot * PACKET_BITS * SECOND) / this.#options.rate);
  }
}

const latest = (one: Instant, other: Instant): Instant => (one > other ? one : other);

const pidOf = (packet: Uint8Array): number => ((packet[1]! & 0x1f) << 8) | packet[2]!;
