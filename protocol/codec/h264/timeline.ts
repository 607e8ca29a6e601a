import type { AccessUnit, Importance } from '../../access-unit.ts';
import { assert } from '../../base/assert.ts';
import { CLOCK_RATE, type Ticks, ticks } from '../../base/units.ts';
import type { CodedPicture } from './access-unit-splitter.ts';
import { DecodeTimestamps } from './decode-timestamps.ts';
import { reorderFramesMax } from './sequence-parameter-set.ts';

/** What players assume of a raw byte stream that says nothing of time (ffmpeg's h264 demuxer). */
const FRAMES_PER_SECOND_DEFAULT = 25;

interface Entry {
  readonly picture: CodedPicture;
  readonly order: number;
  /** Undefined until all pictures to be shown before it are known. */
  timestamp: Ticks | undefined;
}

interface Timed {
  readonly parts: readonly Uint8Array[];
  readonly timestamp: Ticks;
  readonly importance: Importance;
}

/**
 * Gives pictures of a raw byte stream, which has no timestamps, their times, from 0: the shown ones follow each other
 * at the frame rate in picture order (a field takes half a frame's time), the decode timestamps are these moved back
 * by the reorder depth (see `DecodeTimestamps`), so the first may lie before 0.
 *
 * The frame rate is the sequence parameter set's, else the argument. Pictures wait for what may be shown before
 * them: nothing in a stream that declares no reordering, else up to 16 frames twice.
 */
export class Timeline {
  readonly #framesPerSecond: number;
  /** In decode order, oldest first: those not given on to `#decodeTimestamps`. */
  #decoded: Entry[] = [];
  /** Ascending in picture order: those of the present sequence without a timestamp. */
  #hidden: Entry[] = [];
  #decodeTimestamps: DecodeTimestamps<Timed> | undefined;
  #clock: FieldClock;

  /** @param options.framesPerSecond where the stream has no timing of its own; above 0. */
  constructor({ framesPerSecond = FRAMES_PER_SECOND_DEFAULT }: { readonly framesPerSecond?: number | undefined } = {}) {
    assert(framesPerSecond > 0, 'time goes forward');
    this.#framesPerSecond = framesPerSecond;
    this.#clock = new FieldClock(ticks(0), framesPerSecond);
  }

  /** Takes the next picture in decode order; returns the access units that are settled by it, in decode order. */
  push(picture: CodedPicture): AccessUnit[] {
    const { pictureOrder, sequenceParameterSet: sps } = picture;
    // Without an order, pictures can only be shown as they come.
    if (picture.startsSequence || pictureOrder === undefined) this.#show(0);
    const entry: Entry = { picture, order: pictureOrder ?? 0, timestamp: undefined };
    this.#decoded.push(entry);
    let at = this.#hidden.length;
    while (at > 0 && this.#hidden[at - 1]!.order > entry.order) at -= 1;
    this.#hidden.splice(at, 0, entry);
    const frames = pictureOrder === undefined || sps === undefined ? 0 : reorderFramesMax(sps);
    // One field more: a first field is not alone in its frame.
    this.#show(frames === 0 && picture.field === 'frame' ? 0 : 2 * frames + 1);
    this.#decodeTimestamps ??= new DecodeTimestamps({ reorderFrames: declaredDepth(picture) });
    if (sps?.framesOnly && sps.reorderFrames !== undefined) this.#decodeTimestamps.expectDepth(sps.reorderFrames);
    return this.#release();
  }

  /** The stream has ended: all access units that still wait. */
  flush(): AccessUnit[] {
    this.#show(0);
    return [...this.#release(), ...(this.#decodeTimestamps?.flush() ?? [])];
  }

  /** Shows the first pictures in order until only `fieldsKept` fields (a frame counts two) stay hidden. */
  #show(fieldsKept: number): void {
    let hidden = 0;
    for (const { picture } of this.#hidden) hidden += fields(picture);
    let shown = 0;
    for (; hidden > fieldsKept; shown += 1) {
      const entry = this.#hidden[shown]!;
      const framesPerSecond = entry.picture.sequenceParameterSet?.framesPerSecond ?? this.#framesPerSecond;
      if (framesPerSecond !== this.#clock.framesPerSecond) {
        this.#clock = new FieldClock(this.#clock.now, framesPerSecond);
      }
      entry.timestamp = this.#clock.now;
      this.#clock.advance(fields(entry.picture));
      hidden -= fields(entry.picture);
    }
    this.#hidden = this.#hidden.slice(shown);
  }

  #release(): AccessUnit[] {
    const units: AccessUnit[] = [];
    let released = 0;
    for (const { picture, timestamp } of this.#decoded) {
      if (timestamp === undefined) break;
      const { parts, importance } = picture;
      units.push(...(this.#decodeTimestamps?.push({ parts, importance, timestamp }) ?? []));
      released += 1;
    }
    this.#decoded = this.#decoded.slice(released);
    return units;
  }
}

/** Ticks are whole, a field's time often is not: time is counted in fields and rounded when read. */
class FieldClock {
  readonly framesPerSecond: number;
  readonly #start: Ticks;
  #fields = 0;

  constructor(start: Ticks, framesPerSecond: number) {
    this.#start = start;
    this.framesPerSecond = framesPerSecond;
  }

  get now(): Ticks {
    return ticks(this.#start + Math.round((this.#fields * CLOCK_RATE) / (2 * this.framesPerSecond)));
  }

  advance(fieldCount: number): void {
    this.#fields += fieldCount;
  }
}

function fields(picture: CodedPicture): number {
  return picture.field === 'frame' ? 2 : 1;
}

/** The reorder depth where it can be trusted without watching; with fields that depends on how many come in pairs. */
function declaredDepth({ pictureOrder, sequenceParameterSet: sps }: CodedPicture): number | undefined {
  if (pictureOrder === undefined || sps === undefined) return undefined;
  if (reorderFramesMax(sps) > 0) return sps.framesOnly ? sps.reorderFrames : undefined;
  // Even where frames keep their order, the second field of one may be shown before the first.
  return sps.framesOnly ? 0 : 1;
}
