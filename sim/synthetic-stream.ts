import type { AccessUnit } from '../protocol/access-unit.ts';
import { CLOCK_RATE, type Instant } from '../protocol/base/instant.ts';
import { codecByName } from '../protocol/codec/codecs.ts';
import { RandomStream } from './random.ts';
import type { Script } from './simulation.ts';

export interface SyntheticStreamOptions {
  readonly framesPerSecond: number;
  /** Bytes of an access unit that is no key frame. */
  readonly frameBytes: number;
  /** Bytes of a key frame. */
  readonly keyFrameBytes: number;
  /** A key frame each so many frames. */
  readonly keyInterval: number;
  readonly frames: number;
  readonly seed: number;
}

/** Frames are kept to be handed out again, as there are few different ones: up to so many bytes. */
const KEPT_BYTES_MAX = 8_000_000;

const CODEC = codecByName('h264');

/** Access units of chosen sizes with bytes that no one would confuse: one part each, filled from the seed. */
export class SyntheticStream {
  readonly #options: SyntheticStreamOptions;
  readonly #random: RandomStream;
  /** By what they are filled with, key frames apart. */
  readonly #kept = new Map<number, Uint8Array>();
  #keptBytes = 0;
  #frame = 0;

  constructor(options: SyntheticStreamOptions) {
    this.#options = options;
    this.#random = new RandomStream(options.seed, 'synthetic');
  }

  /** The next access unit; `undefined` after the last. Frames with the same bytes may share them. */
  next(): AccessUnit | undefined {
    const { framesPerSecond, keyInterval, frames } = this.#options;
    if (this.#frame >= frames) return undefined;
    const frame = this.#frame++;
    const key = frame % keyInterval === 0;
    // One draw a frame, spread over its bytes: the content has to differ, not to be random.
    const part = this.#part(key, this.#random.uint32(frame) & 0xff);
    const timestamp = Math.round((frame * CLOCK_RATE) / framesPerSecond);
    return { parts: [part], timestamp, decodeTimestamp: timestamp, importance: key ? 'key' : 'reference' };
  }

  #part(key: boolean, filling: number): Uint8Array {
    const name = key ? 0x100 | filling : filling;
    const kept = this.#kept.get(name);
    if (kept) return kept;
    const bytes = key ? this.#options.keyFrameBytes : this.#options.frameBytes;
    const part = CODEC.syntheticPart({ key, bytes, filling });
    if (this.#keptBytes + part.length > KEPT_BYTES_MAX) return part;
    this.#keptBytes += part.length;
    this.#kept.set(name, part);
    return part;
  }
}

/** Hands over each access unit when its decode time has come, the first at `startAt`. */
export class LiveFeed implements Script {
  readonly #next: () => AccessUnit | undefined;
  readonly #deliver: (now: Instant, unit: AccessUnit) => void;
  readonly #finish: () => void;
  readonly #startAt: Instant;
  #unit: AccessUnit | undefined;
  #origin: number | undefined;

  constructor(options: {
    readonly startAt: Instant;
    readonly next: () => AccessUnit | undefined;
    readonly deliver: (now: Instant, unit: AccessUnit) => void;
    /** Called once, after the last unit. */
    readonly finish: () => void;
  }) {
    this.#next = options.next;
    this.#deliver = options.deliver;
    this.#finish = options.finish;
    this.#startAt = options.startAt;
    this.#unit = this.#next();
    this.#origin = this.#unit?.decodeTimestamp;
  }

  pollTimeout(): Instant | undefined {
    if (!this.#unit) return undefined;
    return this.#startAt + Math.round(((this.#unit.decodeTimestamp - this.#origin!) * 100) / 9);
  }

  run(now: Instant): void {
    if (!this.#unit) return;
    this.#deliver(now, this.#unit);
    this.#unit = this.#next();
    if (!this.#unit) this.#finish();
  }
}
