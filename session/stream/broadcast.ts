import { now } from '../../io/os/clock.ts';
import { WakeUp } from '../../io/os/wake-up.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import {
  type Instant,
  type Microseconds,
  microsecondsToTicks,
  type Ticks,
  ticksToMicroseconds,
} from '../../protocol/base/instant.ts';

export interface BroadcastOptions {
  /** The access units in decode order, from the beginning at each call. */
  readonly units: () => AsyncIterable<AccessUnit>;
  readonly loop: boolean;
  /** @param dueAt when its time came; the present is up to `lateMax` later. */
  readonly onUnit: (unit: AccessUnit, dueAt: Instant) => void;
  /** All has been handed over, or the source failed. Not called after `stop`. */
  readonly onEnd: (error: unknown) => void;
  /** Later than this is a stall; a tenth of a second unless said. */
  readonly lateMax?: Microseconds;
  /** The source did not keep up, or the process stood still: everything after is that much later. */
  readonly onStall: (late: Microseconds) => void;
}

/** Read ahead of the clock, so that a slow disk or encoder shows only when it is slow for long. */
const AHEAD_UNITS = 32;
const AHEAD_BYTES = 16_000_000;
/** Read in one go once there is room for so many: eight at a time cost a third of what each of them costs alone. */
const BATCH_UNITS = 8;
/**
 * Later than this is a stall: all that follows is that much later, in its timestamps too, so that receivers see a gap
 * and not a path that has grown longer. Below it the times of the source stand, and the usual latency of 120 ms absorbs
 * what the machine's scheduler does.
 */
const STALL: Microseconds = 100_000;
/** The gap between two rounds of a loop when the first gives no hint (one frame at 30 a second). */
const GAP_DEFAULT: Ticks = 3_000;

/** Hands over a source's access units when their decode time has come: what makes a file a live stream. */
export class Broadcast {
  readonly #options: BroadcastOptions;
  readonly #wakeUp = new WakeUp(() => this.#handOver());
  readonly #queue: AccessUnit[] = [];
  #queueBytes = 0;
  #roomMade: (() => void) | undefined;
  #exhausted = false;
  #error: unknown;
  #stopped = false;
  #startedAt: Instant | undefined;
  #origin: Ticks = 0;
  /** How much later than in the source everything is by now. */
  #stalled: Ticks = 0;

  constructor(options: BroadcastOptions) {
    this.#options = options;
  }

  start(): void {
    void this.#read();
  }

  stop(): void {
    this.#stopped = true;
    this.#wakeUp.clear();
    this.#roomMade?.();
  }

  /** How long until the next key frame is handed over; `undefined`: none is in sight. */
  nextKeyframeIn(): Microseconds | undefined {
    const key = this.#queue.find((unit) => unit.importance === 'key');
    return key && this.#startedAt !== undefined ? Math.max(0, this.#dueAt(key) - now()) : undefined;
  }

  async #read(): Promise<void> {
    let offset: Ticks = 0;
    try {
      do {
        let last: AccessUnit | undefined;
        let step: Ticks = GAP_DEFAULT;
        let base: Ticks | undefined;
        for await (const unit of this.#options.units()) {
          if (this.#stopped) return;
          // With B-frames decoding begins before 0, and must not begin before the last round has ended.
          base ??= this.#startedAt === undefined ? 0 : offset - unit.decodeTimestamp;
          if (last) step = unit.decodeTimestamp - last.decodeTimestamp || step;
          last = unit;
          this.#take(shifted(unit, base));
          offset = base + unit.decodeTimestamp + step;
          await this.#room();
          if (this.#stopped) return;
        }
        if (!last) break;
      } while (this.#options.loop);
    } catch (error) {
      this.#error = error;
    }
    this.#exhausted = true;
    this.#handOver();
  }

  #take(unit: AccessUnit): void {
    if (this.#startedAt === undefined) {
      this.#startedAt = now();
      this.#origin = unit.decodeTimestamp;
    }
    this.#queue.push(unit);
    this.#queueBytes += bytesOf(unit);
    if (this.#queue.length === 1) this.#wakeUp.set(this.#dueAt(unit));
  }

  async #room(): Promise<void> {
    if (this.#queue.length < AHEAD_UNITS && this.#queueBytes < AHEAD_BYTES) return;
    while (!this.#stopped && (this.#queue.length > AHEAD_UNITS - BATCH_UNITS || this.#queueBytes >= AHEAD_BYTES)) {
      await new Promise<void>((resolve) => {
        this.#roomMade = resolve;
      });
    }
  }

  #dueAt(unit: AccessUnit): Instant {
    return this.#startedAt! + ticksToMicroseconds(unit.decodeTimestamp + this.#stalled - this.#origin);
  }

  #handOver(): void {
    while (!this.#stopped && this.#queue.length > 0) {
      const unit = this.#queue[0]!;
      const late = now() - this.#dueAt(unit);
      if (late < 0) return this.#wakeUp.set(this.#dueAt(unit));
      if (late > (this.#options.lateMax ?? STALL)) {
        this.#stalled += microsecondsToTicks(late);
        this.#options.onStall(late);
      }
      this.#queue.shift();
      this.#queueBytes -= bytesOf(unit);
      this.#roomMade?.();
      this.#options.onUnit(shifted(unit, this.#stalled), this.#dueAt(unit));
    }
    if (this.#exhausted && !this.#stopped) {
      this.#stopped = true;
      this.#options.onEnd(this.#error);
    }
  }
}

function bytesOf(unit: AccessUnit): number {
  let bytes = 0;
  for (const part of unit.parts) bytes += part.length;
  return bytes;
}

function shifted(unit: AccessUnit, by: Ticks): AccessUnit {
  if (by === 0) return unit;
  return { ...unit, timestamp: unit.timestamp + by, decodeTimestamp: unit.decodeTimestamp + by };
}
