import { basename } from 'node:path';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { CLOCK_RATE, type Ticks, ticks } from '../../protocol/base/units.ts';
import { codecTitle } from '../../protocol/codec/codec-title.ts';
import { type CodecName, codecByName } from '../../protocol/codec/codecs.ts';
import type { Rotation } from '../../protocol/codec/nal/display-orientation.ts';
import type { EntryGate } from './entry-gate.ts';
import type { MediaDescription, MediaSource } from './media-source.ts';

/** One pass over the media. */
export interface UnitStream {
  readonly gate: EntryGate;
  readonly units: AsyncGenerator<AccessUnit>;
  /** Makes a pending `next()` return. */
  close(): Promise<void>;
}

/** Factory of passes over a source, with the source's properties. */
export interface Recipe {
  readonly name: string;
  readonly mode: MediaDescription['mode'];
  readonly codecName: CodecName;
  /** Measured frame rate, 1/s; `undefined` if it was not measured. */
  readonly framesPerSecond: number | undefined;
  /** Frame rate, 1/s, used when neither `framesPerSecond` nor the stream gives one. */
  readonly assumedFramesPerSecond?: number;
  readonly durationSeconds: number | undefined;
  /** Rotation clockwise that a player applies; none by default. */
  readonly rotation?: Rotation | undefined;
  /** True when the times of the pictures are those of the container, less a constant. */
  readonly hasContainerTimes?: true;
  open(): UnitStream;
}

/** Thrown when the source has no access unit at which a stream can start. */
export class NoEntry extends Error {
  readonly gate: EntryGate;

  constructor(gate: EntryGate, codecName: CodecName) {
    super(causeOf(gate, codecName));
    this.gate = gate;
  }
}

function causeOf({ cause }: EntryGate, codecName: CodecName): string {
  const { title, parameterSetNames } = codecTitle(codecByName(codecName));
  switch (cause) {
    case 'no picture':
      return `it contains no readable ${title} picture`;
    case 'no parameter sets':
      return `its ${title} has no readable parameter sets (${parameterSetNames}), so it cannot be decoded`;
    case 'no key frame':
      return `its ${title} has no key frame at which decoding can start`;
    default:
      return cause satisfies never;
  }
}

/**
 * Key frame interval above which a warning is printed, 90 kHz: receivers that join or lose a picture wait for the next
 * key frame.
 */
const KEY_FRAME_INTERVAL_MAX: Ticks = ticks(5 * CLOCK_RATE);

/**
 * A `MediaSource` built from a recipe. The first pass starts at once to describe the source; the first `units()`
 * continues it.
 */
export class UnitSource implements MediaSource {
  readonly description: MediaDescription;
  /** Time of the first picture in its container, 90 kHz; `undefined` when only ffmpeg knows. */
  readonly startsAt: Ticks | undefined;
  readonly #recipe: Recipe;
  readonly #warn: (message: string) => void;
  readonly #running = new Set<UnitStream>();
  #begun: { readonly first: AccessUnit; readonly stream: UnitStream } | undefined;
  #warnedOfKeyFrames = false;
  #closed = false;

  /** Opens the source. Rejects with `NoEntry` when no stream can start. */
  static async open(recipe: Recipe, warn: (message: string) => void): Promise<UnitSource> {
    const stream = recipe.open();
    let first: IteratorResult<AccessUnit, unknown>;
    try {
      first = await stream.units.next();
    } catch (error) {
      await stream.close();
      throw error;
    }
    if (first.done === true) {
      await stream.close();
      throw new NoEntry(stream.gate, recipe.codecName);
    }
    const { skipped } = stream.gate;
    if (skipped > 0) warn(`${recipe.name}: skipped ${skipped} pictures before the first at which decoding can start`);
    return new UnitSource(recipe, warn, first.value, stream);
  }

  private constructor(recipe: Recipe, warn: (message: string) => void, first: AccessUnit, stream: UnitStream) {
    this.#recipe = recipe;
    this.#warn = warn;
    this.#begun = { first, stream };
    this.#running.add(stream);
    this.description = describe(recipe, first);
    if (recipe.hasContainerTimes) this.startsAt = stream.gate.startsAt;
  }

  async *units(): AsyncGenerator<AccessUnit> {
    if (this.#closed) return;
    const begun = this.#begun;
    this.#begun = undefined;
    const stream = begun?.stream ?? this.#recipe.open();
    this.#running.add(stream);
    let keyFrameDue = KEY_FRAME_INTERVAL_MAX;
    try {
      if (begun !== undefined) yield begun.first;
      for await (const unit of stream.units) {
        if (unit.importance === 'key') keyFrameDue = ticks(unit.decodeTimestamp + KEY_FRAME_INTERVAL_MAX);
        else if (unit.decodeTimestamp > keyFrameDue) this.#warnOfKeyFrames();
        yield unit;
        if (this.#closed) return;
      }
    } catch (error) {
      // An error caused by `close` is not a failure.
      if (!this.#closed) throw error;
    } finally {
      this.#running.delete(stream);
      await stream.close();
      await stream.units.return(undefined);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const running = [...this.#running];
    this.#running.clear();
    await Promise.all(running.map((stream) => stream.close()));
    // A pass that was started but never used; the others end on their own.
    await this.#begun?.stream.units.return(undefined);
  }

  #warnOfKeyFrames(): void {
    // With the encoder, the user has chosen the interval.
    if (this.#warnedOfKeyFrames || this.#recipe.mode === 'x264') return;
    this.#warnedOfKeyFrames = true;
    const seconds = KEY_FRAME_INTERVAL_MAX / CLOCK_RATE;
    this.#warn(
      `${this.#recipe.name}: key frames are more than ${seconds} s apart, so receivers that join or lose a picture wait that long; ` +
        '--encode x264 --gop 30 inserts one every 30 frames',
    );
  }
}

function describe(recipe: Recipe, first: AccessUnit): MediaDescription {
  const codec = codecByName(recipe.codecName);
  const parameterSets = codec.parameterSetsOf(first.parts);
  const format = codec.describe(parameterSets);
  return {
    name: basename(recipe.name),
    codecName: recipe.codecName,
    codec: format?.decoder ?? codec.mp4?.sampleEntry ?? codec.name,
    width: format?.width ?? 0,
    height: format?.height ?? 0,
    ...(recipe.rotation && { rotation: recipe.rotation }),
    framesPerSecond: recipe.framesPerSecond ?? format?.framesPerSecond ?? recipe.assumedFramesPerSecond,
    durationSeconds: recipe.durationSeconds,
    mode: recipe.mode,
    parameterSets,
  };
}
