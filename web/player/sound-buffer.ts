import { DriftCorrection } from './drift-correction.ts';
import { SoundStretch } from './sound-stretch.ts';
import { WaitTarget } from './wait-target.ts';

/** Surplus beyond what is to wait that is cut after a second, milliseconds. */
const SURPLUS_MS = 60;
/** Surplus that is cut at once, as it has come in a burst, milliseconds. */
const BURST_MS = 520;
/** Length of a frame of sound, milliseconds, of which one is heard before the next one has come. */
const FRAME_MS = 20;
/** Gaps up to this length are concealed; after a longer one, or a step backwards, playing begins again, milliseconds. */
const GAP_MS_MAX = 1_000;
/** Difference of timestamps that counts as rounding, milliseconds. */
const ROUNDING_MS = 2;
/** Length over which the sound before a gap fades out, and of the fade after it, milliseconds. */
const FADE_OUT_MS = 20;
const FADE_IN_MS = 5;
/** Limit of what waits, milliseconds. */
const BUFFER_MS_MAX = 2_000;

/** Decoded samples, one array for each channel. */
export interface SoundChunk {
  /** Media time of the first sample, microseconds. */
  readonly timeUs: number;
  readonly channels: readonly Float32Array[];
}

/**
 * Decoded sound on its way to the loudspeaker: keeps its times, conceals what is missing, bounds the delay, and follows the
 * sender's clock.
 */
export class SoundBuffer {
  readonly #sampleRate: number;
  #chunks: SoundChunk[] = [];
  /** Samples of the first chunk that have been read. */
  #offset = 0;
  /** Media time behind the last sample, microseconds. */
  #endUs: number | undefined;
  #isPlaying = false;
  #hasPlayed = false;
  #fadesIn = false;
  /** Silence since the sound ran out, milliseconds; `undefined` once more has come. */
  #dryMs: number | undefined;
  /** Least that waited in the current second, samples. */
  #leastSamples = Number.POSITIVE_INFINITY;
  #secondSamples = 0;
  readonly #target = new WaitTarget();
  readonly #drift = new DriftCorrection();
  readonly #stretch = new SoundStretch();
  /** Sound that was missing and was concealed, milliseconds. */
  concealedMs = 0;
  /** Sound that was cut to bound the delay, milliseconds. */
  cutMs = 0;

  /** @param sampleRate samples per second. */
  constructor(sampleRate: number) {
    this.#sampleRate = sampleRate;
  }

  /** Sound that waits, milliseconds. */
  get bufferedMs(): number {
    return (this.#samples * 1_000) / this.#sampleRate;
  }

  /** Sound that is to wait, milliseconds. */
  get targetMs(): number {
    return this.#target.ms;
  }

  /** Parts per million by which sound is played faster, to follow the sender's clock; negative: slower. */
  get correctionPpm(): number {
    return this.#drift.ppm;
  }

  /** Media time of the next sample, microseconds; `undefined` while nothing plays. */
  get timeUs(): number | undefined {
    const [first] = this.#chunks;
    return this.#isPlaying && first ? first.timeUs + this.#microseconds(this.#offset) : undefined;
  }

  push(chunk: SoundChunk): void {
    if (this.#endUs !== undefined && !this.#connect(chunk.timeUs, this.#endUs)) return;
    if (this.#dryMs !== undefined && this.#endUs !== undefined) {
      // Sound that was lost was not late.
      const lateMs = this.#dryMs - (chunk.timeUs - this.#endUs) / 1_000;
      if (lateMs > 0) this.#target.raise(lateMs);
    }
    this.#dryMs = undefined;
    if (this.#fadesIn) {
      fade(chunk.channels, 0, 1, this.#count(FADE_IN_MS));
      this.#fadesIn = false;
    }
    this.#append(chunk);
    this.#endUs = chunk.timeUs + this.#microseconds(lengthOf(chunk));
  }

  /** Fills the channels with the next samples; with silence where there are none. */
  read(output: readonly Float32Array[]): void {
    const count = output[0]?.length ?? 0;
    for (const channel of output) channel.fill(0);
    if (!this.#isPlaying && this.bufferedMs >= this.#target.ms) this.#isPlaying = true;
    if (!this.#isPlaying) {
      if (this.#endUs !== undefined && this.#hasPlayed) this.#addSilence(count);
      return;
    }
    this.#hasPlayed = true;
    let filled = 0;
    while (filled < count) {
      const [chunk] = this.#chunks;
      if (!chunk) return this.#runDry(count - filled);
      const take = Math.min(count - filled, lengthOf(chunk) - this.#offset);
      for (const [index, channel] of output.entries()) {
        // Mono plays on all channels.
        const from = chunk.channels[index] ?? chunk.channels[0]!;
        channel.set(from.subarray(this.#offset, this.#offset + take), filled);
      }
      filled += take;
      this.#advance(take);
    }
    this.#trim(count);
  }

  /** Drops everything; the next chunk begins anew. */
  clear(): void {
    this.#chunks = [];
    this.#offset = 0;
    this.#endUs = undefined;
    this.#isPlaying = false;
    this.#hasPlayed = false;
    this.#fadesIn = true;
    this.#dryMs = undefined;
    this.#leastSamples = Number.POSITIVE_INFINITY;
    this.#secondSamples = 0;
    this.#stretch.reset();
  }

  #append({ timeUs, channels }: SoundChunk): void {
    const stretched = this.#stretch.process(channels, this.#drift.ratio);
    const chunk = { timeUs: timeUs + this.#microseconds(stretched.from), channels: stretched.channels };
    if (lengthOf(chunk) > 0) this.#chunks.push(chunk);
  }

  get #samples(): number {
    return this.#chunks.reduce((sum, chunk) => sum + lengthOf(chunk), -this.#offset);
  }

  /** @returns false for sound that comes too late. */
  #connect(timeUs: number, endUs: number): boolean {
    const gapMs = (timeUs - endUs) / 1_000;
    if (Math.abs(gapMs) > GAP_MS_MAX || this.bufferedMs > BUFFER_MS_MAX) {
      this.clear();
      return true;
    }
    if (gapMs < -ROUNDING_MS) return false;
    // Where nothing waits, silence has taken the place of the gap already.
    if (gapMs > ROUNDING_MS && this.#chunks.length > 0) this.#conceal(endUs, gapMs);
    return true;
  }

  /** Repeats the last sound while it fades out, and continues with silence. */
  #conceal(timeUs: number, gapMs: number): void {
    this.concealedMs += gapMs;
    this.#fadesIn = true;
    const last = this.#chunks.at(-1);
    if (!last) return;
    const count = Math.round((gapMs * this.#sampleRate) / 1_000);
    const faded = Math.min(count, this.#count(FADE_OUT_MS), lengthOf(last));
    const channels = last.channels.map((before) => {
      const samples = new Float32Array(count);
      // Backwards, so that it begins with the sample that came last.
      for (let at = 0; at < faded; at++) samples[at] = before[before.length - 1 - at]!;
      return samples;
    });
    fade(channels, 1, 0, faded);
    this.#append({ timeUs, channels });
  }

  #runDry(missing: number): void {
    this.#dryMs = 0;
    this.#addSilence(missing);
    this.#isPlaying = false;
    this.#fadesIn = true;
    this.#stretch.reset();
  }

  #addSilence(count: number): void {
    const ms = (count * 1_000) / this.#sampleRate;
    this.concealedMs += ms;
    if (this.#dryMs !== undefined) this.#dryMs += ms;
  }

  #advance(count: number): void {
    this.#offset += count;
    while (this.#chunks[0] && this.#offset >= lengthOf(this.#chunks[0])) {
      this.#offset -= lengthOf(this.#chunks[0]);
      this.#chunks.shift();
    }
  }

  /** Once a second: cuts what has waited without need, as a burst has come, or corrects the drift of the clocks. */
  #trim(count: number): void {
    this.#leastSamples = Math.min(this.#leastSamples, this.#samples);
    this.#secondSamples += count;
    if (this.#secondSamples < this.#sampleRate && this.bufferedMs < this.#target.ms + BURST_MS) return;
    const [least, seconds] = [this.#leastSamples, this.#secondSamples / this.#sampleRate];
    const surplus = least - this.#count(this.#target.ms);
    this.#secondSamples = 0;
    this.#leastSamples = Number.POSITIVE_INFINITY;
    if (surplus < this.#count(SURPLUS_MS)) {
      const leastMs = (least * 1_000) / this.#sampleRate;
      this.#target.update(leastMs, seconds);
      return this.#drift.update(leastMs - (this.#target.ms - FRAME_MS), seconds);
    }
    this.#advance(surplus);
    this.cutMs += (surplus * 1_000) / this.#sampleRate;
    const [chunk] = this.#chunks;
    if (!chunk) return;
    fade(
      chunk.channels.map((channel) => channel.subarray(this.#offset)),
      0,
      1,
      this.#count(FADE_IN_MS),
    );
  }

  #count(milliseconds: number): number {
    return Math.round((milliseconds * this.#sampleRate) / 1_000);
  }

  #microseconds(samples: number): number {
    return (samples * 1e6) / this.#sampleRate;
  }
}

const lengthOf = ({ channels }: SoundChunk): number => channels[0]?.length ?? 0;

/** Multiplies the first samples by a factor that goes from one value to another. */
function fade(channels: readonly Float32Array[], from: number, to: number, count: number): void {
  for (const channel of channels) {
    for (let at = 0; at < Math.min(count, channel.length); at++) channel[at]! *= from + ((to - from) * at) / count;
  }
}
