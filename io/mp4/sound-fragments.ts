import type { AccessUnit } from '../../protocol/access-unit.ts';
import { assert } from '../../protocol/base/assert.ts';
import { CLOCK_RATE, type Ticks } from '../../protocol/base/units.ts';
import type { Codec } from '../../protocol/codec/codec.ts';
import { SOUND_BEFORE_MAX } from '../../protocol/codec/sound/sound-units.ts';
import { box, fullBox, uint16Bytes, uint32Bytes, uint64Bytes, zeros } from './box-writing.ts';
import type { MovieTrack } from './movie-box.ts';

/** Codec and configuration of a sound track. */
export interface Mp4Sound {
  readonly codec: Codec;
  readonly parameterSets: readonly Uint8Array[];
}

const TRACK_ID = 2;
/** trun flags: data offset, then per sample duration and size (§8.8.8). */
const RUN_FLAGS = 0x000301;
const BITS_PER_SAMPLE = 16;
/** The sampling rate in a sample entry has 16 bits; a higher one is in the configuration only. */
const ENTRY_RATE_MAX = 0xffff;

/** Runs of samples for a fragment: the boxes, given the offset of the data, and the data. */
export interface SoundRun {
  readonly fragment: (dataOffset: number) => Uint8Array;
  readonly samples: readonly Uint8Array[];
}

/**
 * The sound track of a fragmented MP4, on a clock of its sampling rate. Its times are relative to the first picture; what
 * is before that is cut by an edit list.
 */
export class SoundFragments {
  readonly #sound: Mp4Sound;
  readonly #entry: Uint8Array;
  readonly #rate: number;
  readonly #waiting: AccessUnit[] = [];
  /** Presentation time of the first picture. */
  #epoch: Ticks | undefined;
  /** Ticks of this track from the first sample to the first picture; 0 when the sound begins later. */
  #lead = 0;
  #hasBegun = false;

  constructor(sound: Mp4Sound) {
    const { codec, parameterSets } = sound;
    const format = codec.sound?.describe(parameterSets);
    const configuration = codec.mp4?.configuration(parameterSets);
    assert(format !== undefined && configuration !== undefined, 'the sound must have a configuration for MP4');
    this.#sound = sound;
    this.#rate = format.sampleRate;
    this.#entry = audioSampleEntry(codec.mp4!.sampleEntry, format, box(codec.mp4!.configurationBox, configuration));
  }

  /** @param shownFrom media time of the pictures at which the presentation begins, 90 kHz. */
  track(shownFrom: Ticks): MovieTrack {
    return {
      id: TRACK_ID,
      kind: 'sound',
      timescale: this.#rate,
      entries: [this.#entry],
      width: 0,
      height: 0,
      startsAt: this.#lead + this.#ticksOf(shownFrom),
    };
  }

  /** Media time of the first picture in this track; above 0 when the sound begins before it. */
  get lead(): number {
    return this.#lead;
  }

  push(unit: AccessUnit): void {
    this.#waiting.push(unit);
  }

  /**
   * Returns the units whose duration is known, which is all but the last; `undefined` when there are none.
   * @param epoch presentation time of the first picture, the same at each call.
   * @param isEnd true at the end of the stream: the last unit has its own duration.
   */
  take(epoch: Ticks, isEnd: boolean): SoundRun | undefined {
    this.#epoch ??= epoch;
    if (!this.#hasBegun)
      while ((this.#waiting[0]?.timestamp ?? epoch) < epoch - SOUND_BEFORE_MAX) this.#waiting.shift();
    const count = this.#waiting.length - (isEnd ? 0 : 1);
    if (count < 1) return undefined;
    const units = this.#waiting.splice(0, count);
    const times = units.map(({ timestamp }) => this.#mediaTime(timestamp));
    if (!this.#hasBegun) this.#lead = Math.max(0, -times[0]!);
    this.#hasBegun = true;
    const next = this.#waiting[0]?.timestamp;
    times.push(next === undefined ? times.at(-1)! + this.#durationOf(units.at(-1)!) : this.#mediaTime(next));
    const samples = units.map(({ parts }) => this.#sound.codec.mp4!.sample(parts));
    const entries = samples.flatMap((sample, index) => [
      uint32Bytes(Math.max(0, times[index + 1]! - times[index]!)),
      uint32Bytes(sample.length),
    ]);
    return {
      samples,
      fragment: (dataOffset) =>
        box(
          'traf',
          // default-base-is-moof
          fullBox('tfhd', 0, 0x020000, uint32Bytes(TRACK_ID)),
          fullBox('tfdt', 1, 0, uint64Bytes(times[0]! + this.#lead)),
          fullBox('trun', 0, RUN_FLAGS, uint32Bytes(units.length), uint32Bytes(dataOffset), ...entries),
        ),
    };
  }

  #mediaTime(timestamp: Ticks): number {
    return this.#ticksOf((timestamp - this.#epoch!) as Ticks);
  }

  #durationOf({ parts }: AccessUnit): number {
    const { codec, parameterSets } = this.#sound;
    return this.#ticksOf((codec.sound?.durationOf(parts, parameterSets) ?? 0) as Ticks);
  }

  #ticksOf(span: Ticks): number {
    return Math.round((span * this.#rate) / CLOCK_RATE);
  }
}

/** Returns an AudioSampleEntry (§12.2.3). */
function audioSampleEntry(
  type: string,
  { channels, sampleRate }: { readonly channels: number; readonly sampleRate: number },
  configuration: Uint8Array,
): Uint8Array {
  return box(
    type,
    ...[zeros(6), uint16Bytes(1), zeros(8), uint16Bytes(channels), uint16Bytes(BITS_PER_SAMPLE), zeros(4)],
    ...[uint16Bytes(sampleRate > ENTRY_RATE_MAX ? 0 : sampleRate), zeros(2)],
    configuration,
  );
}
