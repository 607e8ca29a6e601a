import type { AccessUnit } from '../../protocol/access-unit.ts';
import { type Instant, instant, type Microseconds, microseconds, milliseconds } from '../../protocol/base/units.ts';
import type { CarriedStream } from '../../sim/tcp/access-unit-framing.ts';
import type { FrameCounts } from './lane-record.ts';
import { decide, type LaneTransportOptions, payloadBytes } from './lane-transport.ts';
import type { PicturePlace } from './picture-numbers.ts';

/** Framing overhead of an access unit and of each of its parts, bytes (sim/tcp/access-unit-framing.ts). */
const UNIT_HEADER_BYTES = 24;
const PART_HEADER_BYTES = 4;

interface Waiting {
  readonly stream: CarriedStream;
  readonly unit: AccessUnit;
  readonly frame: number;
  readonly completeAt: Instant;
  readonly showAt: Instant;
  readonly late: boolean;
}

/** Frames and sound of a lane whose transport delivers everything in order: shown or heard at the deadline, or late on arrival. */
export class InOrderFrames {
  readonly #options: LaneTransportOptions;
  readonly #waiting: Waiting[] = [];
  #frames = 0;
  #sounds = 0;
  #decided = 0;
  #counts = { framesOnTime: 0, framesRecovered: 0, framesLate: 0, framesMended: 0, framesLost: 0 };
  /** Size of everything captured, in the byte stream. */
  takenBytes = 0;

  constructor(options: LaneTransportOptions) {
    this.#options = options;
  }

  get counts(): FrameCounts {
    return this.#counts;
  }

  /** Number of captured frames. */
  get length(): number {
    return this.#frames;
  }

  /** Time at which the next frame is shown. */
  get nextAt(): Instant | undefined {
    return this.#waiting[0]?.showAt;
  }

  /** How long the next frame has been overdue. */
  stalledFor(now: Instant): Microseconds {
    const capturedAt = this.#decided < this.#frames ? this.#options.record.captured(this.#decided)?.at : undefined;
    return microseconds(capturedAt === undefined ? 0 : Math.max(0, now - this.#dueAt(capturedAt)));
  }

  /** @returns the number of the frame. */
  captured(now: Instant, unit: AccessUnit, picture: PicturePlace | undefined): number {
    const { importance } = unit;
    this.#options.record.frameCaptured(this.#frames, { at: now, importance, picture }, payloadBytes(unit));
    this.#count(unit);
    return this.#frames++;
  }

  /** @returns the number of the unit of sound. */
  soundCaptured(now: Instant, unit: AccessUnit): number {
    const { record, sound } = this.#options;
    record.soundCaptured(payloadBytes(unit));
    sound?.record.captured(now, unit);
    this.#count(unit);
    return this.#sounds++;
  }

  /** Records that the sender has dropped what waited too long. */
  givenUp(now: Instant, stream: CarriedStream, frame: number): void {
    if (stream === 'sound') return this.#options.sound?.record.decided(frame, now, 'neverArrived');
    this.#counts.framesLost++;
    this.#decided = Math.max(this.#decided, frame + 1);
    decide(this.#options, frame, 'neverArrived', { completeAt: undefined, decidedAt: now });
  }

  /** Records that a frame, or a unit of sound, has been read to its end. */
  complete(stream: CarriedStream, frame: number, unit: AccessUnit, completeAt: Instant): void {
    const { record, sound } = this.#options;
    const capturedAt = stream === 'video' ? record.captured(frame)?.at : sound?.record.capturedAt(frame);
    const due = this.#dueAt(capturedAt ?? completeAt);
    const last = this.#waiting.at(-1)?.showAt ?? completeAt;
    const showAt = instant(Math.max(due, completeAt, last));
    this.#waiting.push({ stream, unit, frame, completeAt, showAt, late: completeAt > due });
  }

  /** Shows frames, and plays their sound. Nothing is dropped. */
  showDue(now: Instant): void {
    while (this.#waiting.length > 0 && this.#waiting[0]!.showAt <= now) {
      const { stream, unit, frame, completeAt, late } = this.#waiting.shift()!;
      if (stream === 'sound') {
        const { sound } = this.#options;
        sound?.record.decided(frame, now, late ? 'late' : 'onTime');
        sound?.play(unit, frame);
        continue;
      }
      if (late) this.#counts.framesLate++;
      else this.#counts.framesOnTime++;
      this.#decided = frame + 1;
      decide(this.#options, frame, late ? 'late' : 'onTime', { completeAt, decidedAt: now });
      this.#options.show(unit, frame);
    }
  }

  #count(unit: AccessUnit): void {
    this.takenBytes += payloadBytes(unit) + UNIT_HEADER_BYTES + PART_HEADER_BYTES * unit.parts.length;
  }

  #dueAt(capturedAt: Instant): Instant {
    return instant(capturedAt + this.#options.pathDelay() + milliseconds(this.#options.settings.latencyMs));
  }
}
