import { type Instant, type Microseconds, microseconds, milliseconds, seconds } from '../../protocol/base/units.ts';
import { WindowedMaximum } from '../../protocol/base/windowed-maximum.ts';
import type { TakenPacket } from './loss-recovery.ts';

const SLOT: Microseconds = seconds(4);
/** Timers and schedulers are no more exact than this. */
const SILENCE_MIN: Microseconds = milliseconds(2);
/** Where no frame of that size has been seen to its end of late: senders' groups are at most 20 ms apart. */
const SILENCE_DEFAULT: Microseconds = milliseconds(25);
const MARGIN = 1.25;
/** Once steps have differed, so many have to agree in a row: a variable frame rate is no interval for long. */
const STEPS_TO_TRUST = 30;
/**
 * Frames by their packets, two sizes for each power of two: a large one is sent in groups, a small one in one piece, and
 * of our own senders the former begin at 24.
 */
const SIZES = 34;

/** Frames of so many packets leave at once, and are long enough to tell how far apart their packets come. */
const SPACED_MIN = 4;
const SPACED_MAX = 16;
/** The spacings of a bottleneck of one rate are nearer to each other. */
const SPACING_SPREAD = 1.5;
const SPACINGS = 9;

interface Frame {
  readonly number: number;
  readonly packetCount: number;
  readonly expectedAt: Instant;
  /** The number behind its last packet. */
  readonly nextSequence: number;
}

/** How packets follow each other: how long a pause inside of a frame may be, and when the next frame is overdue. */
export class ArrivalModel {
  readonly #pauses: (WindowedMaximum | undefined)[] = new Array(SIZES).fill(undefined);
  /** When a frame of that size was last seen to its end: its first group alone has no pause. */
  readonly #endedAt: (Instant | undefined)[] = new Array(SIZES).fill(undefined);
  readonly #lateness = new WindowedMaximum({ slot: SLOT });
  /** The newest packet; changed in place, since it is another one for each. */
  readonly #last = { frame: Number.NaN, packetIndex: 0, at: 0 };
  /** When the frame in hand began, and how far apart the packets of the last ones came. */
  #began = { frame: Number.NaN, at: 0 };
  #spacings: Microseconds[] = [];
  #spacing: Microseconds = microseconds(0);
  #newest: Frame | undefined;
  #before: Frame | undefined;
  #interval: Microseconds | undefined;
  #stepsAgreed = 0;
  #stepsToTrust = 0;

  /** The newest frame of which something came by itself. */
  get newest(): Frame | undefined {
    return this.#newest;
  }

  /** From one frame to the next; `undefined` while it is not known, or not always the same. */
  get interval(): Microseconds | undefined {
    return this.#stepsAgreed >= this.#stepsToTrust ? this.#interval : undefined;
  }

  /** From packet to packet of a frame that was sent at once, typically; 0: not known. */
  get spacing(): Microseconds {
    return this.#spacing;
  }

  /** How many packets the next frame will have at least, as far as the last two tell. */
  get packetsLikely(): number {
    return Math.min(this.#newest?.packetCount ?? 0, this.#before?.packetCount ?? 0);
  }

  /** A packet that was sent once and never before. */
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

  /** How long nothing may come of a frame that is not whole before what misses is missing. */
  silence(now: Instant, packetCount: number): Microseconds {
    const size = sizeOf(packetCount);
    const pause = (this.#pauses[size]?.at(now) ?? 0) * MARGIN;
    const known = this.#isKnown(now, size) || this.#comesInOnePiece(now, size);
    return microseconds(Math.max(known ? SILENCE_MIN : SILENCE_DEFAULT, pause));
  }

  /** How much later than expected a frame's first packet may be. */
  lateness(now: Instant): Microseconds {
    return microseconds(Math.max(SILENCE_MIN, this.#lateness.at(now) * MARGIN));
  }

  #onWhole(now: Instant, packetCount: number): void {
    if (packetCount < SPACED_MIN || packetCount > SPACED_MAX) return;
    this.#spacings.push(microseconds(Math.max(0, (now - this.#began.at) / (packetCount - 1))));
    if (this.#spacings.length > SPACINGS) this.#spacings.shift();
    const sorted = this.#spacings.toSorted((one, other) => one - other);
    const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? 0;
    // Where the capacity comes and goes, the last frames tell nothing of the next.
    this.#spacing = at(0.75) > SPACING_SPREAD * at(0.25) ? microseconds(0) : microseconds(at(0.5));
  }

  #isKnown(now: Instant, size: number): boolean {
    const endedAt = this.#endedAt[size];
    return endedAt !== undefined && now - endedAt <= SLOT;
  }

  /** As a larger one did. */
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
      // Two steps that agree make an interval. Media time is in ticks, which 30 and 60 frames a second do not divide.
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
