import type { AccessUnit, Importance } from '../../protocol/access-unit.ts';
import { type Ticks, ticks } from '../../protocol/base/units.ts';
import type { Codec, ParameterSetTracker } from '../../protocol/codec/codec.ts';
import type { CodedPicture, PictureSplitter } from '../../protocol/codec/nal/coded-picture.ts';
import { DecodeTimestamps } from '../../protocol/codec/nal/decode-timestamps.ts';
import { nalStreamOf } from '../../protocol/codec/nal-streams.ts';
import type { EntryGate } from './entry-gate.ts';

/** A sample of a container: usually one access unit, but half of one and several occur. */
export interface Sample {
  /** NAL units. */
  readonly parts: readonly Uint8Array[];
  /** Presentation time, 90 kHz, from any epoch. */
  readonly timestamp: Ticks;
  /** Time until the next sample is shown, 90 kHz; 0: unknown. */
  readonly duration: Ticks;
  /** True for a picture that is not shown: others may refer to it. */
  readonly decodeOnly?: boolean;
}

export interface SampleTrack {
  /** Codec of the samples, whose parts are NAL units. */
  readonly codec: Codec;
  /** Parameter sets stored by the container outside the samples; may be empty. */
  readonly parameterSets: readonly Uint8Array[];
  readonly samples: AsyncIterable<Sample>;
  /** Number of frames decoded before one that is shown after them; `undefined`: to be determined. */
  readonly reorderFrames: number | undefined;
  /** True when each sample is exactly one access unit, so that none waits for the next to be complete. */
  readonly samplesAreUnits: boolean;
  /** True when times count from the presentation's beginning, which need not be the first picture's. */
  readonly keepsStart?: boolean;
}

/** Distance between two pictures of a sample without a duration, 90 kHz: half a frame at 30 frames per second. */
const FIELD_TICKS = 1_500;

interface Timed {
  readonly parts: readonly Uint8Array[];
  readonly importance: Importance;
  readonly timestamp: Ticks;
  readonly decodeOnly?: true;
}

/**
 * The access units of a container's track, from the first one at which decoding can start, the earliest shown at 0, or
 * where the track keeps its start, then. Pictures that are not shown are dropped where nothing refers to them. NAL
 * units decide what is an access unit and what is a key frame; containers are wrong about both often enough. Each key
 * frame gets the parameter sets that it lacks.
 */
export async function* sampleUnits(track: SampleTrack, gate: EntryGate): AsyncGenerator<AccessUnit> {
  const pictures = new SamplePictures(track);
  const epoch = new Epoch(track.keepsStart === true);
  const decodeTimestamps = new DecodeTimestamps<Timed>({ reorderFrames: track.reorderFrames });
  const timed = function* (picture: TimedPicture): Generator<AccessUnit> {
    if (!gate.admits(picture)) return;
    if (picture.decodeOnly === true && picture.importance === 'discardable') return;
    epoch.see(picture.timestamp);
    for (const unit of decodeTimestamps.push(picture)) {
      gate.startsAt ??= epoch.earliest;
      yield epoch.shift(unit);
    }
  };
  for await (const sample of track.samples) {
    for (const picture of pictures.push(sample)) yield* timed(picture);
    if (track.samplesAreUnits) for (const picture of pictures.flush()) yield* timed(picture);
  }
  for (const picture of pictures.flush()) yield* timed(picture);
  for (const unit of decodeTimestamps.flush()) {
    gate.startsAt ??= epoch.earliest;
    yield epoch.shift(unit);
  }
}

type TimedPicture = CodedPicture & Timed;

/** Splits the NAL units of all samples into pictures; each picture gets the time of its first slice. */
class SamplePictures {
  readonly #codec: Codec;
  readonly #splitter: PictureSplitter;
  readonly #sets: ParameterSetTracker;
  readonly #sampleOf = new WeakMap<Uint8Array, Sample>();
  #latest: { readonly sample: Sample; readonly count: number } | undefined;

  constructor({ codec, parameterSets }: Pick<SampleTrack, 'codec' | 'parameterSets'>) {
    this.#codec = codec;
    this.#splitter = nalStreamOf(codec).splitPictures();
    this.#sets = codec.trackParameterSets();
    for (const set of parameterSets) {
      this.#splitter.push(set);
      this.#sets.add(set);
    }
    // The sets stay known to the splitter, but must not become a part of the first picture.
    this.#splitter.flush();
  }

  *push(sample: Sample): Generator<TimedPicture> {
    for (const nalUnit of sample.parts) {
      // `#sets` are still those of the picture before this NAL unit.
      const picture = this.#splitter.push(nalUnit);
      if (picture !== undefined) yield this.#time(picture);
      this.#sets.add(nalUnit);
      if (nalStreamOf(this.#codec).isSlice(nalUnit)) this.#sampleOf.set(nalUnit, sample);
    }
  }

  *flush(): Generator<TimedPicture> {
    const picture = this.#splitter.flush();
    if (picture !== undefined) yield this.#time(picture);
  }

  #time(picture: CodedPicture): TimedPicture {
    const slice = picture.parts.find((nalUnit) => nalStreamOf(this.#codec).isSlice(nalUnit));
    const sample = this.#sampleOf.get(slice as Uint8Array) as Sample;
    // Several pictures in one sample (usually two fields) divide its duration.
    const count = this.#latest?.sample === sample ? this.#latest.count : 0;
    this.#latest = { sample, count: count + 1 };
    const step = sample.duration > 0 ? Math.floor(sample.duration / 2) : FIELD_TICKS;
    const parts = this.#codec.withParameterSets(picture.parts, this.#sets.sets(), picture.importance === 'key');
    const timestamp = ticks(sample.timestamp + count * step);
    return { ...picture, parts, timestamp, ...(sample.decodeOnly === true && { decodeOnly: true }) };
  }
}

/** Shifts times so that the earliest picture is shown at 0; known when the first picture leaves the reordering. */
class Epoch {
  #earliest: Ticks;
  #settled = false;

  /** @param keepsStart moves nothing but pictures from before 0. */
  constructor(keepsStart: boolean) {
    this.#earliest = ticks(keepsStart ? 0 : Number.POSITIVE_INFINITY);
  }

  /** Time that becomes 0. */
  get earliest(): Ticks {
    return this.#earliest;
  }

  see(timestamp: Ticks): void {
    if (!this.#settled) this.#earliest = ticks(Math.min(this.#earliest, timestamp));
  }

  shift(unit: Timed & { readonly decodeTimestamp: Ticks }): AccessUnit {
    this.#settled = true;
    const { parts, importance, decodeOnly } = unit;
    return {
      parts,
      timestamp: ticks(unit.timestamp - this.#earliest),
      decodeTimestamp: ticks(unit.decodeTimestamp - this.#earliest),
      importance,
      ...(decodeOnly && { decodeOnly }),
    };
  }
}
