import { basename } from 'node:path';
import { type AccessUnit, shifted } from '../../protocol/access-unit.ts';
import {
  CLOCK_RATE,
  type Microseconds,
  microsecondsToTicks,
  milliseconds,
  type Ticks,
  ticks,
} from '../../protocol/base/units.ts';
import { H264 } from '../../protocol/codec/h264/h264.ts';
import { RenditionChoice } from '../../protocol/rendition-choice.ts';
import { type EncoderOptions, skipsByCount } from '../ffmpeg/encoder.ts';
import { Failure } from '../os/failure.ts';
import type { AdaptiveControl, AdaptiveState } from './adaptive-control.ts';
import { Fallbacks, type OpenFallback } from './fallback-units.ts';
import { isBeyondEnd } from './find-start.ts';
import type { MediaDescription, MediaSource, SourcePass } from './media-source.ts';
import { RenditionFeed } from './rendition-feed.ts';
import type { RenditionPlan } from './rendition-plan.ts';
import { type RenditionPicture, RenditionRun } from './rendition-run.ts';

export interface RenditionSourceOptions {
  /** Name of the input, for messages. */
  readonly name: string;
  readonly encoder: Omit<EncoderOptions, 'name' | 'mode' | 'bitrate' | 'gop' | 'renditions' | 'fromSeconds'>;
  /** From the best picture to the least work, at least one. */
  readonly plans: readonly RenditionPlan[];
  /** Place at which the source starts, seconds from its first picture; default 0. */
  readonly startSeconds?: number | undefined;
  /** Bit rate at the start, bits per second. */
  readonly bitrate: number;
  readonly durationSeconds: number | undefined;
  /** Sources that take over when ffmpeg keeps failing, the preferred one first. */
  readonly fallbacks: readonly OpenFallback[];
  warn(message: string): void;
}

/** Pictures are encoded ahead, so only the choice between them waits until they are due. */
const LEAD_TIME: Microseconds = milliseconds(3);
/** Time without output after which ffmpeg has stalled, milliseconds: half of what is encoded ahead. */
const SILENCE_MS_MAX = 1_500;
/** The same until the first output, and that of a run which takes over from another. */
const BEGINNING_MS_MAX = 30_000;
const RESTART_MS_MAX = 5_000;

/**
 * Encodes an input several times with the ffmpeg program, whose bit rate cannot be changed while it runs, and follows a
 * target by choosing between the encodes at their key frames.
 */
export class RenditionSource implements MediaSource {
  readonly description: MediaDescription;
  readonly adaptive: AdaptiveControl;
  readonly #options: RenditionSourceOptions;
  readonly #feeds = new Set<RenditionFeed>();
  readonly #fallbacks: Fallbacks;
  #begun: { readonly feed: RenditionFeed; readonly first: RenditionPicture } | undefined;
  #plan: RenditionPlan;
  #planIndex = 0;
  #choice: RenditionChoice;
  #chosen: number;
  #target: number;
  /** Time of the newest picture, and the time before which pictures are left out. */
  #timestamp: Ticks = ticks(0);
  #notBefore: Ticks = ticks(0);
  #closed = false;

  /** @throws {Failure} when the input cannot be encoded. */
  static async open(options: RenditionSourceOptions): Promise<RenditionSource> {
    const feed = feedOf(options, { from: startOf(options), plan: 0 });
    let first: RenditionPicture | undefined;
    try {
      first = await feed.next();
    } catch (error) {
      await feed.close();
      throw error;
    }
    if (first === undefined) {
      await feed.close();
      const { name, durationSeconds } = options;
      const start = startOf(options);
      throw start > 0 ? isBeyondEnd(name, start, durationSeconds) : new Failure(`${name}: ffmpeg produced no picture`);
    }
    return new RenditionSource(options, feed, first);
  }

  private constructor(options: RenditionSourceOptions, feed: RenditionFeed, first: RenditionPicture) {
    this.#options = options;
    this.#fallbacks = new Fallbacks(options.fallbacks, (message) => options.warn(message));
    this.#plan = first.plan;
    this.#target = options.bitrate;
    this.#choice = new RenditionChoice(first.plan.rates, options.bitrate);
    this.#chosen = this.#choice.next(first.timestamp, true, options.bitrate);
    this.#begun = { feed, first };
    this.#feeds.add(feed);
    const parameterSets = H264.parameterSetsOf(first.encodes[this.#chosen]!);
    const format = H264.describe(parameterSets);
    this.description = {
      name: basename(options.name),
      codecName: 'h264',
      codec: format?.decoder ?? 'avc1',
      width: format?.width ?? 0,
      height: format?.height ?? 0,
      framesPerSecond: options.encoder.framesPerSecond,
      durationSeconds: options.durationSeconds,
      mode: 'x264',
      parameterSets,
    };
    this.adaptive = this.#control();
  }

  get startSeconds(): number {
    return startOf(this.#options) / CLOCK_RATE;
  }

  async *units({ isRepeat = false }: SourcePass = {}): AsyncGenerator<AccessUnit> {
    const from = isRepeat ? ticks(0) : startOf(this.#options);
    for await (const unit of this.#unitsFrom(from)) yield shifted(unit, ticks(-from));
  }

  /** Times count from the beginning of the input. */
  async *#unitsFrom(from: Ticks): AsyncGenerator<AccessUnit> {
    const begun = this.#begun;
    this.#begun = undefined;
    const feed = begun?.feed ?? this.#open(from);
    this.#notBefore = from;
    let place: number = from;
    let entered = false;
    try {
      for (let picture = begun?.first ?? (await feed.next()); picture; picture = await feed.next()) {
        if (this.#closed) return;
        this.#planIndex = feed.plan;
        if (!entered || picture.timestamp < this.#notBefore)
          entered = picture.isKey && picture.timestamp >= this.#notBefore;
        const unit = this.#take(picture);
        if (!entered) continue;
        place = unit.timestamp + 1;
        yield unit;
      }
    } catch (error) {
      if (this.#closed) return;
      if (!(error instanceof Failure)) throw error;
      yield* this.#fallbacks.units(place, this.#target, `${error.message}, again`);
    } finally {
      this.#feeds.delete(feed);
      await feed.close();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const feeds = [...this.#feeds];
    this.#feeds.clear();
    await Promise.all(feeds.map((feed) => feed.close()));
    await this.#fallbacks.close();
  }

  #open(from: Ticks): RenditionFeed {
    const feed = feedOf(this.#options, { from, plan: this.#planIndex });
    this.#feeds.add(feed);
    return feed;
  }

  #take({ timestamp, isKey, encodes, plan }: RenditionPicture): AccessUnit {
    if (plan !== this.#plan) {
      // The path has not shown that it carries more than before.
      const before = this.#plan.rates[this.#chosen]!;
      this.#plan = plan;
      this.#choice = new RenditionChoice(plan.rates, Math.min(before, this.#target));
    }
    this.#timestamp = timestamp;
    this.#chosen = this.#choice.next(timestamp, isKey, this.#target);
    const importance = isKey ? 'key' : 'reference';
    return { parts: encodes[this.#chosen]!, timestamp, decodeTimestamp: timestamp, importance };
  }

  #control(): AdaptiveControl {
    const source = this;
    const { rates } = this.#options.plans[0]!;
    return {
      bitrateMin: rates[0]!,
      bitrateMax: rates.at(-1)!,
      setTarget: (bitsPerSecond) => {
        source.#target = bitsPerSecond;
      },
      // The next group begins soon.
      requestKeyFrame: () => {},
      skip: (span) => {
        source.#notBefore = ticks(source.#timestamp + microsecondsToTicks(span));
      },
      get state(): AdaptiveState {
        const { bitrate, size } = source.#plan.encodings[source.#chosen]!;
        return { bitrate, preset: source.#plan.preset, renditions: source.#plan.rates.length, ...size };
      },
      leadTime: LEAD_TIME,
    };
  }
}

const startOf = ({ startSeconds = 0 }: RenditionSourceOptions): Ticks => ticks(Math.round(startSeconds * CLOCK_RATE));

function feedOf(
  { name, encoder, plans, warn }: RenditionSourceOptions,
  first: { readonly from: Ticks; readonly plan: number },
): RenditionFeed {
  const interval = ticks(Math.round(CLOCK_RATE / encoder.framesPerSecond));
  const start = (from: Ticks, index: number): RenditionRun => {
    const plan = plans[index]!;
    const isFirst = from === first.from;
    // Between two pictures, where they are searched by time.
    const fromSeconds = (isFirst ? from : from - interval / 4) / CLOCK_RATE;
    const silence = { beginningMs: isFirst ? BEGINNING_MS_MAX : RESTART_MS_MAX, laterMs: SILENCE_MS_MAX };
    return new RenditionRun({ ...encoder, name, bitrate: 0, gop: plan.gop, fromSeconds, silence }, plan, from);
  };
  const onRestart = (cause: string): void => warn(`${cause}: restarted`);
  const onPlan = (index: number): void => {
    const { rates, preset, encodings } = plans[index]!;
    const { width, height } = encodings.at(-1)!.size;
    warn(
      `${name}: encoding ${rates.length} renditions of up to ${width}×${height} with x264 ${preset}, which this computer can`,
    );
  };
  // Raw pictures are read up to the place.
  const canSeek = encoder.rawPictures === undefined && !skipsByCount({ ...encoder, mode: 'x264' });
  return new RenditionFeed({ start, plans: plans.length, canSeek, interval, onRestart, onPlan }, first);
}
