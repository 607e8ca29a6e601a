import type { AccessUnit, Importance } from '../../access-unit.ts';
import { assert } from '../../base/assert.ts';
import { CLOCK_RATE, type Ticks, ticks } from '../../base/units.ts';
import type { CodedPicture } from './coded-picture.ts';
import { DecodeTimestamps } from './decode-timestamps.ts';

/** Frame rate that players assume for a raw byte stream without timing (ffmpeg's demuxers). */
const FRAMES_PER_SECOND_DEFAULT = 25;

interface Entry {
  readonly picture: CodedPicture;
  readonly order: number;
  /** `undefined` until all pictures to be shown before it are known. */
  timestamp: Ticks | undefined;
}

interface Timed {
  readonly parts: readonly Uint8Array[];
  readonly timestamp: Ticks;
  readonly importance: Importance;
}

/**
 * Assigns times to pictures of a raw byte stream, which has no timestamps, from 0: presentation times follow at the
 * frame rate in picture order (a field takes half a frame), decode times are these delayed by the reorder depth (see
 * `DecodeTimestamps`), so the first may be negative.
 *
 * The frame rate is that of the sequence parameter set, otherwise the argument. A picture waits for pictures that may
 * be shown before it: not at all in a stream that declares no reordering, otherwise for up to twice 16 frames.
 */
export class Timeline {
  readonly #framesPerSecond: number;
  /** Pictures in decode order that have not been passed to `#decodeTimestamps`. */
  #decoded: Entry[] = [];
  /** Pictures of the current sequence without a timestamp, in ascending picture order. */
  #hidden: Entry[] = [];
  #decodeTimestamps: DecodeTimestamps<Timed> | undefined;
  #clock: FieldClock;

  /** @param options.framesPerSecond frame rate of a stream without timing; above 0. */
  constructor({ framesPerSecond = FRAMES_PER_SECOND_DEFAULT }: { readonly framesPerSecond?: number | undefined } = {}) {
    assert(framesPerSecond > 0, 'the frame rate must be above 0');
    this.#framesPerSecond = framesPerSecond;
    this.#clock = new FieldClock(ticks(0), framesPerSecond);
  }

  /** Takes the next picture in decode order; returns the access units whose times are final, in decode order. */
  push(picture: CodedPicture): AccessUnit[] {
    const { pictureOrder, sequenceParameterSet: sps } = picture;
    // Without a picture order, pictures are shown as they arrive.
    if (picture.startsSequence || pictureOrder === undefined) this.#show(0);
    const entry: Entry = { picture, order: pictureOrder ?? 0, timestamp: undefined };
    this.#decoded.push(entry);
    let at = this.#hidden.length;
    while (at > 0 && this.#hidden[at - 1]!.order > entry.order) at -= 1;
    this.#hidden.splice(at, 0, entry);
    const frames = pictureOrder === undefined ? 0 : picture.reorderFramesMax;
    // One field more, because a first field may not be separated from the second.
    this.#show(frames === 0 && picture.field === 'frame' ? 0 : 2 * frames + 1);
    this.#decodeTimestamps ??= new DecodeTimestamps({ reorderFrames: declaredDepth(picture) });
    if (sps?.framesOnly && sps.reorderFrames !== undefined) this.#decodeTimestamps.expectDepth(sps.reorderFrames);
    return this.#release();
  }

  /** Ends the stream; returns all waiting access units. */
  flush(): AccessUnit[] {
    this.#show(0);
    return [...this.#release(), ...(this.#decodeTimestamps?.flush() ?? [])];
  }

  /** Assigns times to the first pictures in order until `fieldsKept` fields (a frame counts as two) remain. */
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

/**
 * Clock that counts fields and rounds when read, because the duration of a field need not be a whole number of ticks.
 */
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

/** Reorder depth, when it can be known without observation. With fields it depends on how many come in pairs. */
function declaredDepth({
  pictureOrder,
  sequenceParameterSet: sps,
  reorderFramesMax,
}: CodedPicture): number | undefined {
  if (pictureOrder === undefined || sps === undefined) return undefined;
  if (reorderFramesMax > 0) return sps.framesOnly ? sps.reorderFrames : undefined;
  // Even if frames are not reordered, the second field of one may be shown before the first.
  return sps.framesOnly ? 0 : 1;
}
