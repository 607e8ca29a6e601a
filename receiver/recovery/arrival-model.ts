import { type Instant, type Microseconds, microseconds, milliseconds, seconds } from '../../protocol/base/units.ts';
import { WindowedMaximum } from '../../protocol/base/windowed-maximum.ts';
import type { TakenPacket } from './loss-recovery.ts';

const SLOT: Microseconds = seconds(4);
/** Timers and schedulers are not more precise than this. */
const SILENCE_MIN: Microseconds = milliseconds(2);
/** Default when no frame of that size has been received completely of late: groups are at most 20 ms apart. */
const SILENCE_DEFAULT: Microseconds = milliseconds(25);
const MARGIN = 1.25;
/** After a change of interval, this many equal steps in a row are needed, so that a variable frame rate yields none. */
const STEPS_TO_TRUST = 30;
/**
 * Size classes by packet count, two per power of two: a large frame is sent in groups, a small one in one piece; our
 * senders use groups from 24 packets on.
 */
const SIZES = 34;

/** Frames of this many packets leave at once, and are long enough to measure the packet spacing. */
const SPACED_MIN = 4;
const SPACED_MAX = 16;
/** Ratio of upper to lower quartile above which the bottleneck has no constant rate. */
const SPACING_SPREAD = 1.5;
const SPACINGS = 9;

interface Frame {
  readonly number: number;
  readonly packetCount: number;
  readonly expectedAt: Instant;
  /** Sequence number after its last packet. */
  readonly nextSequence: number;
}

/** Model of packet arrivals: the longest pause within a frame, and the time at which the next frame is overdue. */
export class ArrivalModel {
  readonly #pauses: (WindowedMaximum | undefined)[] = new Array(SIZES).fill(undefined);
  /** Last time a frame of that size was received completely: a first group alone shows no pause. */
  readonly #endedAt: (Instant | undefined)[] = new Array(SIZES).fill(undefined);
  readonly #lateness = new WindowedMaximum({ slot: SLOT });
  /** Newest packet; updated in place to avoid an allocation per packet. */
  readonly #last = { frame: Number.NaN, packetIndex: 0, at: 0 };
  /** Start of the current frame, and packet spacings of the last ones. */
  #began = { frame: Number.NaN, at: 0 };
  #spacings: Microseconds[] = [];
  #spacing: Microseconds = microseconds(0);
  #newest: Frame | undefined;
  #before: Frame | undefined;
  #interval: Microseconds | undefined;
  #stepsAgreed = 0;
  #stepsToTrust = 0;

  /** Newest frame with a packet that was not retransmitted. */
  get newest(): Frame | undefined {
    return this.#newest;
  }

  /** Frame interval; `undefined` while unknown or not constant. */
  get interval(): Microseconds | undefined {
    return this.#stepsAgreed >= this.#stepsToTrust ? this.#interval : undefined;
  }

  /** Typical spacing of packets in a frame that was sent at once; 0 while unknown. */
  get spacing(): Microseconds {
    return this.#spacing;
  }

  /** Lower estimate of the packets in the next frame, from the last two. */
  get packetsLikely(): number {
    return Math.min(this.#newest?.packetCount ?? 0, this.#before?.packetCount ?? 0);
  }

  /** Records a packet that was sent once. */
  onPacket(now: Instant, { sequence, number, mark, expectedAt, ahead }: TakenPacket): void {
    if (number === undefined || !mark) return;
    const { packetIndex, packetCount } = mark;
    const last = this.#last;
    if (last.frame === number && packetIndex === last.packetIndex + 1) {
      const size = sizeOf(packetCount);
      this.#pauses[size] ??= new WindowedMaximum({ slot: SLOT });
      this.#pauses[size].observe(now, now - last.at);
      if (packetIndex === packetCount - 1) this.#endedAt[size] = now;
    }
    if (packetIndex === 0) this.#began = { frame: number, at: now };
    else if (packetIndex === packetCount - 1 && number === this.#began.frame) this.#onWhole(now, packetCount);
    if (ahead) {
      last.frame = number;
      last.packetIndex = packetIndex;
      last.at = now;
    }
    if (this.#newest && number <= this.#newest.number) return;
    this.#onFrame(now, { number, packetCount, expectedAt, nextSequence: sequence - packetIndex + packetCount });
  }

  /** Longest silence in an incomplete frame before its missing packets count as lost. */
  silence(now: Instant, packetCount: number): Microseconds {
    const size = sizeOf(packetCount);
    const pause = (this.#pauses[size]?.at(now) ?? 0) * MARGIN;
    const known = this.#isKnown(now, size) || this.#comesInOnePiece(now, size);
    return microseconds(Math.max(known ? SILENCE_MIN : SILENCE_DEFAULT, pause));
  }

  /** Longest delay of a frame's first packet after its expected time. */
  lateness(now: Instant): Microseconds {
    return microseconds(Math.max(SILENCE_MIN, this.#lateness.at(now) * MARGIN));
  }

  #onWhole(now: Instant, packetCount: number): void {
    if (packetCount < SPACED_MIN || packetCount > SPACED_MAX) return;
    this.#spacings.push(microseconds(Math.max(0, (now - this.#began.at) / (packetCount - 1))));
    if (this.#spacings.length > SPACINGS) this.#spacings.shift();
    const sorted = this.#spacings.toSorted((one, other) => one - other);
    const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? 0;
    // When the capacity varies, past frames do not predict the next.
    this.#spacing = at(0.75) > SPACING_SPREAD * at(0.25) ? microseconds(0) : microseconds(at(0.5));
  }

  #isKnown(now: Instant, size: number): boolean {
    const endedAt = this.#endedAt[size];
    return endedAt !== undefined && now - endedAt <= SLOT;
  }

  /** True when a larger frame arrived in one piece. */
  #comesInOnePiece(now: Instant, size: number): boolean {
    for (let larger = size + 1; larger < SIZES; larger++) {
      if (this.#isKnown(now, larger) && this.#pauses[larger]!.at(now) * MARGIN <= SILENCE_MIN) return true;
    }
    return false;
  }

  #onFrame(now: Instant, frame: Frame): void {
    const newest = this.#newest;
    this.#lateness.observe(now, now - frame.expectedAt);
    if (newest) {
      const step = microseconds((frame.expectedAt - newest.expectedAt) / (frame.number - newest.number));
      // Two equal steps make an interval. Media time is in ticks, which 30 and 60 frames per second do not divide
      // evenly.
      const agrees = this.#interval !== undefined && Math.abs(step - this.#interval) <= 0.1 * step;
      this.#interval = step > 0 && (agrees || this.#before === undefined) ? step : undefined;
      this.#stepsAgreed++;
      if (this.#interval === undefined) {
        this.#before = undefined;
        this.#stepsAgreed = 0;
        this.#stepsToTrust = STEPS_TO_TRUST;
      } else this.#before = newest;
    }
    this.#newest = frame;
  }
}

function sizeOf(packetCount: number): number {
  const power = 31 - Math.clz32(packetCount);
  return power === 0 ? 0 : 2 * power + ((packetCount >> (power - 1)) & 1);
}
