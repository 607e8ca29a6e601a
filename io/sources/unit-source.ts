import { basename } from 'node:path';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { CLOCK_RATE, type Ticks, ticks } from '../../protocol/base/units.ts';
import { codecTitle } from '../../protocol/codec/codec-title.ts';
import { type CodecName, codecByName } from '../../protocol/codec/codecs.ts';
import { EntryGate } from './entry-gate.ts';
import { findStart } from './find-start.ts';
import type { MediaDescription, MediaSource, SourcePass } from './media-source.ts';
import type { Recipe, UnitStream } from './recipe.ts';

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
  readonly startSeconds: number;
  readonly #recipe: Recipe;
  /** Opens a pass that starts where the source does. */
  readonly #open: () => UnitStream;
  readonly #warn: (message: string) => void;
  readonly #running = new Set<UnitStream>();
  #begun: { readonly first: AccessUnit; readonly stream: UnitStream } | undefined;
  #warnedOfKeyFrames = false;
  #closed = false;

  /**
   * Opens the source, which starts at `startSeconds` from its beginning. Rejects with `NoEntry` when no stream can start.
   * @throws {Failure} when nothing is shown from there on.
   */
  static async open(recipe: Recipe, warn: (message: string) => void, startSeconds = 0): Promise<UnitSource> {
    const stream = recipe.open(new EntryGate());
    const first = await firstOf(stream);
    if (first === undefined) {
      await stream.close();
      throw new NoEntry(stream.gate, recipe.codecName);
    }
    const { skipped, startsAt } = stream.gate;
    if (skipped > 0) warn(`${recipe.name}: skipped ${skipped} pictures before the first at which decoding can start`);
    const parts = { recipe, warn, startSeconds, described: first, origin: startsAt };
    if (startSeconds === 0) {
      return new UnitSource({ ...parts, open: () => recipe.open(new EntryGate()), begun: { first, stream } });
    }
    await stream.close();
    await stream.units.return(undefined);
    const place = { at: ticks(Math.round(startSeconds * CLOCK_RATE)), origin: startsAt ?? ticks(0) };
    return new UnitSource({ ...parts, open: await findStart(recipe, place), begun: undefined });
  }

  private constructor(parts: {
    readonly recipe: Recipe;
    readonly warn: (message: string) => void;
    readonly startSeconds: number;
    /** First unit from the beginning. */
    readonly described: AccessUnit;
    readonly origin: Ticks | undefined;
    readonly open: () => UnitStream;
    readonly begun: { readonly first: AccessUnit; readonly stream: UnitStream } | undefined;
  }) {
    const { recipe, warn, startSeconds, described, origin, open, begun } = parts;
    this.#recipe = recipe;
    this.#warn = warn;
    this.#open = open;
    this.#begun = begun;
    this.startSeconds = startSeconds;
    if (begun) this.#running.add(begun.stream);
    this.description = describe(recipe, described);
    if (recipe.hasContainerTimes) this.startsAt = origin;
  }

  async *units({ isRepeat = false }: SourcePass = {}): AsyncGenerator<AccessUnit> {
    if (this.#closed) return;
    const begun = this.#begun;
    this.#begun = undefined;
    const stream = begun?.stream ?? (isRepeat ? this.#recipe.open(new EntryGate()) : this.#open());
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

/** Returns the first unit; `undefined` when there is none. */
async function firstOf(stream: UnitStream): Promise<AccessUnit | undefined> {
  try {
    const first = await stream.units.next();
    return first.done === true ? undefined : first.value;
  } catch (error) {
    await stream.close();
    throw error;
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
