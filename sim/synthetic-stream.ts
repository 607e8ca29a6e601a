import type { AccessUnit } from '../protocol/access-unit.ts';
import { CLOCK_RATE, type Instant, instant, ticks } from '../protocol/base/units.ts';
import type { Codec } from '../protocol/codec/codec.ts';
import { DEFAULT_CODEC } from '../protocol/codec/codecs.ts';
import { RandomStream } from './random.ts';
import type { Script } from './simulation.ts';

/** Sizes and times of a synthetic stream. */
export interface SyntheticStreamOptions {
  /** Frame rate, frames a second. */
  readonly framesPerSecond: number;
  /** Size of an access unit other than a key frame, bytes. */
  readonly frameBytes: number;
  /** Size of a key frame, bytes. */
  readonly keyFrameBytes: number;
  /** Frames from one key frame to the next. */
  readonly keyInterval: number;
  /** Length of the stream, frames. */
  readonly frames: number;
  /** Decides the content of the frames. */
  readonly seed: number;
  /** Codec of the access units; H.264 by default. */
  readonly codec?: Codec;
}

/** Bound of the cache of generated frames, bytes. There are few different ones. */
const CACHE_BYTES_MAX = 8_000_000;

/**
 * Access units of configurable sizes and distinguishable content: one part each, filled with a byte from the seed.
 */
export class SyntheticStream {
  readonly #options: SyntheticStreamOptions;
  readonly #codec: Codec;
  readonly #random: RandomStream;
  /** Generated NAL units by fill byte, key frames apart. */
  readonly #cache = new Map<number, Uint8Array>();
  #cachedBytes = 0;
  #frame = 0;

  constructor(options: SyntheticStreamOptions) {
    this.#options = options;
    this.#random = new RandomStream(options.seed, 'synthetic');
    this.#codec = options.codec ?? DEFAULT_CODEC;
  }

  /** Returns the next access unit; `undefined` after the last. Units with equal content may share their bytes. */
  next(): AccessUnit | undefined {
    const { framesPerSecond, keyInterval, frames } = this.#options;
    if (this.#frame >= frames) return undefined;
    const frame = this.#frame++;
    const key = frame % keyInterval === 0;
    // One draw per frame fills the whole unit: the content has to differ, not to be random.
    const part = this.#part(key, this.#random.uint32(frame) & 0xff);
    const timestamp = ticks(Math.round((frame * CLOCK_RATE) / framesPerSecond));
    return { parts: [part], timestamp, decodeTimestamp: timestamp, importance: key ? 'key' : 'reference' };
  }

  #part(key: boolean, filling: number): Uint8Array {
    const name = key ? 0x100 | filling : filling;
    const cached = this.#cache.get(name);
    if (cached) return cached;
    const bytes = key ? this.#options.keyFrameBytes : this.#options.frameBytes;
    const part = this.#codec.syntheticPart({ key, bytes, filling });
    if (this.#cachedBytes + part.length > CACHE_BYTES_MAX) return part;
    this.#cachedBytes += part.length;
    this.#cache.set(name, part);
    return part;
  }
}

/** Options of a live feed. */
export interface LiveFeedOptions {
  /** Time of the first access unit. */
  readonly startAt: Instant;
  /** Returns the next access unit, `undefined` after the last. Called one unit ahead, unless `nextTimestamp` is given. */
  readonly next: () => AccessUnit | undefined;
  /**
   * Returns the decode time of the next access unit, 90 kHz, `undefined` after the last: for an encoder, whose `next` is
   * then called when the unit is due.
   */
  readonly nextTimestamp?: () => number | undefined;
  /** Media time of `startAt`, 90 kHz; that of the first access unit by default. */
  readonly origin?: number;
  /** Called with each access unit when it is due. */
  readonly deliver: (now: Instant, unit: AccessUnit) => void;
  /** Called once, after the last unit. */
  readonly finish: () => void;
}

/** Passes on each access unit at its decode time, the first at `startAt`. */
export class LiveFeed implements Script {
  readonly #options: LiveFeedOptions;
  /** The unit read ahead. */
  #unit: AccessUnit | undefined;
  #due: number | undefined;
  readonly #origin: number;

  constructor(options: LiveFeedOptions) {
    this.#options = options;
    this.#due = this.#readAhead();
    this.#origin = options.origin ?? this.#due ?? 0;
  }

  pollTimeout(): Instant | undefined {
    if (this.#due === undefined) return undefined;
    return instant(this.#options.startAt + Math.round(((this.#due - this.#origin) * 100) / 9));
  }

  run(now: Instant): void {
    if (this.#due === undefined) return;
    const unit = this.#unit ?? this.#options.next();
    if (unit) this.#options.deliver(now, unit);
    this.#due = this.#readAhead();
    if (this.#due === undefined) this.#options.finish();
  }

  /** @returns decode time of the next unit. */
  #readAhead(): number | undefined {
    const { next, nextTimestamp } = this.#options;
    if (nextTimestamp) return nextTimestamp();
    this.#unit = next();
    return this.#unit?.decodeTimestamp;
  }
}
