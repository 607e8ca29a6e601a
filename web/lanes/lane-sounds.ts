import { ticksToMicroseconds } from '../../protocol/base/units.ts';
import type { LaneSound } from '../../protocol/page/lane-sound.ts';
import type { PageSoundDescription } from '../../protocol/page/page-message.ts';
import type { SoundChunk } from '../player/sound-buffer.ts';
import { SoundDecoder } from '../player/sound-decoder.ts';
import type { SoundInput } from '../player/sound-worklet.ts';

/** Time for which a peak counts, milliseconds: a few frames of sound. */
const PEAK_MS = 120;
/** Frames of sound whose arrival is known: more than wait for the loudspeaker. */
const ARRIVALS_MAX = 200;
/** Longest time by which pictures of the lane that is heard are held back for their sound, milliseconds. */
const DELAY_MS_MAX = 600;
/** The same for the other lanes, whose pictures are compared with them: sound that has not stalled takes less. */
const OTHERS_MS_MAX = 150;

/** The sound of one lane. */
interface Source {
  readonly decoder: SoundDecoder;
  readonly run: number;
  peak: number;
  peakAtMs: number;
}

/** Decodes the sound of all lanes, for their meters, and passes that of one lane on to the loudspeaker. */
export class LaneSounds {
  #description: PageSoundDescription | undefined;
  #isAble = false;
  readonly #sources = new Map<number, Source>();
  #heard: number | undefined;
  #loudspeaker: MessagePort | undefined;
  /** Frames of the lane that is heard: media time, microseconds, and arrival, `performance.now()`. */
  #arrivals: { readonly mediaUs: number; readonly atMs: number }[] = [];
  /** Time from the arrival of sound until it is heard, milliseconds; 0 while no lane is heard. */
  #delayMs = 0;

  /** Takes over the sound of a source. @param description `undefined` without sound. */
  async describe(description: PageSoundDescription | undefined): Promise<void> {
    this.forget();
    this.#description = description;
    this.#isAble = false;
    const isAble = description !== undefined && (await SoundDecoder.supports(description));
    if (description === this.#description) this.#isAble = isAble;
  }

  /** Hears a lane, or none. @param loudspeaker port of the worklet, when it is a new one. */
  listen(lane: number | undefined, loudspeaker: MessagePort | undefined): void {
    this.#loudspeaker = loudspeaker ?? this.#loudspeaker;
    if (lane !== this.#heard) this.#clear();
    this.#heard = lane;
    if (lane === undefined) this.#delayMs = 0;
  }

  /** Id of the lane that is heard; `undefined` while none is. */
  get heard(): number | undefined {
    return this.#heard;
  }

  /** True while a lane is heard, so that pictures are held back. */
  get isHeard(): boolean {
    return this.#delayMs > 0;
  }

  /** Returns the time by which pictures of a lane are held back, milliseconds. */
  delayOf(lane: number): number {
    return lane === this.#heard ? this.#delayMs : Math.min(this.#delayMs, OTHERS_MS_MAX);
  }

  /** Takes over what is heard at a time. @param mediaUs `undefined` while nothing is. */
  hearing(mediaUs: number | undefined, atMs: number): void {
    if (mediaUs === undefined || this.#heard === undefined) return;
    while ((this.#arrivals[1]?.mediaUs ?? Number.POSITIVE_INFINITY) <= mediaUs) this.#arrivals.shift();
    const [arrival] = this.#arrivals;
    if (!arrival || arrival.mediaUs > mediaUs) return;
    const sinceUs = mediaUs - arrival.mediaUs;
    this.#delayMs = Math.min(DELAY_MS_MAX, Math.max(0, atMs - arrival.atMs - sinceUs / 1_000));
  }

  push(lane: number, sound: LaneSound): void {
    const description = this.#description;
    if (!description || !this.#isAble) return;
    const source = this.#sourceOf(lane, sound.run, description);
    if (lane === this.#heard) {
      this.#arrivals.push({ mediaUs: ticksToMicroseconds(sound.timestamp), atMs: performance.now() });
      if (this.#arrivals.length > ARRIVALS_MAX) this.#arrivals.shift();
    }
    source.decoder.push(sound);
  }

  /** Largest sample of a lane's sound of late, 0 to 1. */
  peakOf(lane: number): number {
    const source = this.#sources.get(lane);
    return source && performance.now() - source.peakAtMs < PEAK_MS ? source.peak : 0;
  }

  /** Forgets what waits: a new source, or a new connection. */
  forget(): void {
    for (const { decoder } of this.#sources.values()) decoder.close();
    this.#sources.clear();
    this.#clear();
  }

  /** Forgets lanes that are gone. */
  keep(lanes: readonly number[]): void {
    for (const [lane, { decoder }] of this.#sources) {
      if (lanes.includes(lane)) continue;
      decoder.close();
      this.#sources.delete(lane);
    }
  }

  #sourceOf(lane: number, run: number, description: PageSoundDescription): Source {
    const known = this.#sources.get(lane);
    if (known?.run === run) return known;
    known?.decoder.close();
    if (lane === this.#heard) this.#clear();
    const decoder = new SoundDecoder(description, (chunk) => this.#take(lane, source, chunk));
    const source: Source = { decoder, run, peak: 0, peakAtMs: Number.NEGATIVE_INFINITY };
    this.#sources.set(lane, source);
    return source;
  }

  #take(lane: number, source: Source, chunk: SoundChunk): void {
    let peak = 0;
    for (const channel of chunk.channels) for (const sample of channel) peak = Math.max(peak, Math.abs(sample));
    const atMs = performance.now();
    if (peak >= source.peak || atMs - source.peakAtMs >= PEAK_MS) {
      source.peak = peak;
      source.peakAtMs = atMs;
    }
    if (lane === this.#heard) this.#post(chunk);
  }

  #clear(): void {
    this.#arrivals = [];
    this.#post('clear');
  }

  #post(input: SoundInput): void {
    this.#loudspeaker?.postMessage(input);
  }
}
