import type { AccessUnit, Importance } from '../../protocol/access-unit.ts';
import type { Ticks } from '../../protocol/base/instant.ts';
import { AccessUnitSplitter, type CodedPicture } from '../../protocol/codec/h264/access-unit-splitter.ts';
import { DecodeTimestamps } from '../../protocol/codec/h264/decode-timestamps.ts';
import { isCodedSlice, nalUnitType } from '../../protocol/codec/h264/nal-unit.ts';
import { ParameterSetTracker, withParameterSets } from '../../protocol/codec/h264/parameter-sets.ts';
import type { EntryGate } from './entry-gate.ts';

/** A sample of a container: as a rule one access unit, but half of one and several exist. */
export interface Sample {
  /** NAL units. */
  readonly parts: readonly Uint8Array[];
  /** When it is shown, 90 kHz, from any epoch. */
  readonly timestamp: Ticks;
  /** Until the next one is shown, 90 kHz; 0: unknown. */
  readonly duration: Ticks;
}

export interface SampleTrack {
  /** SPS and PPS that the container keeps beside the samples; may be empty. */
  readonly parameterSets: readonly Uint8Array[];
  readonly samples: AsyncIterable<Sample>;
  /** How many frames may be decoded before one and shown after it; `undefined`: to be found out. */
  readonly reorderFrames: number | undefined;
  /** Each sample is one access unit for certain: none waits for the next to show that it is whole. */
  readonly samplesAreUnits: boolean;
}

/** Half a frame at 30 a second: between two pictures of a sample whose duration nobody gives. */
const FIELD_TICKS = 1_500;

interface Timed {
  readonly parts: readonly Uint8Array[];
  readonly importance: Importance;
  readonly timestamp: Ticks;
}

/**
 * The access units of a container's track, from the first one at which decoding can start, the earliest shown at 0.
 * NAL units decide what is an access unit and what is a keyframe; containers are wrong about both often enough. Each
 * keyframe gets the parameter sets that it lacks.
 */
export async function* sampleUnits(track: SampleTrack, gate: EntryGate): AsyncGenerator<AccessUnit> {
  const pictures = new SamplePictures(track.parameterSets);
  const epoch = new Epoch();
  const decodeTimestamps = new DecodeTimestamps<Timed>({ reorderFrames: track.reorderFrames });
  for await (const sample of track.samples) {
    const complete = track.samplesAreUnits ? [...pictures.push(sample), ...pictures.flush()] : pictures.push(sample);
    for (const picture of complete) {
      if (gate.admits(picture)) {
        epoch.see(picture.timestamp);
        for (const unit of decodeTimestamps.push(picture)) yield epoch.shift(unit);
      }
    }
  }
  for (const picture of pictures.flush()) {
    if (gate.admits(picture)) {
      epoch.see(picture.timestamp);
      for (const unit of decodeTimestamps.push(picture)) yield epoch.shift(unit);
    }
  }
  for (const unit of decodeTimestamps.flush()) yield epoch.shift(unit);
}

type TimedPicture = CodedPicture & { readonly timestamp: Ticks };

/** Runs the NAL units of all samples through one splitter and gives each picture the time of its first slice. */
class SamplePictures {
  readonly #splitter = new AccessUnitSplitter();
  readonly #sets = new ParameterSetTracker();
  readonly #sampleOf = new WeakMap<Uint8Array, Sample>();
  #latest: { readonly sample: Sample; readonly count: number } | undefined;

  constructor(parameterSets: readonly Uint8Array[]) {
    for (const set of parameterSets) {
      this.#splitter.push(set);
      this.#sets.add(set);
    }
    // What it has learned stays; the sets themselves are not to become a part of the first picture.
    this.#splitter.flush();
  }

  *push(sample: Sample): Generator<TimedPicture> {
    for (const nalUnit of sample.parts) {
      // `#sets` is still what the picture before this NAL unit goes by.
      const picture = this.#splitter.push(nalUnit);
      if (picture !== undefined) yield this.#time(picture);
      this.#sets.add(nalUnit);
      if (isCodedSlice(nalUnitType(nalUnit))) this.#sampleOf.set(nalUnit, sample);
    }
  }

  *flush(): Generator<TimedPicture> {
    const picture = this.#splitter.flush();
    if (picture !== undefined) yield this.#time(picture);
  }

  #time(picture: CodedPicture): TimedPicture {
    const slice = picture.parts.find((nalUnit) => isCodedSlice(nalUnitType(nalUnit)));
    const sample = this.#sampleOf.get(slice as Uint8Array) as Sample;
    // Several pictures of one sample (two fields, as a rule) share its time between them.
    const count = this.#latest?.sample === sample ? this.#latest.count : 0;
    this.#latest = { sample, count: count + 1 };
    const step = sample.duration > 0 ? Math.floor(sample.duration / 2) : FIELD_TICKS;
    const parts = withParameterSets(picture.parts, this.#sets.sets(), picture.importance === 'key');
    return { ...picture, parts, timestamp: sample.timestamp + count * step };
  }
}

/** Moves times so that the earliest picture is shown at 0: known when the first one leaves the reordering. */
class Epoch {
  #earliest = Number.POSITIVE_INFINITY;
  #settled = false;

  see(timestamp: Ticks): void {
    if (!this.#settled) this.#earliest = Math.min(this.#earliest, timestamp);
  }

  shift({ parts, importance, timestamp, decodeTimestamp }: Timed & { readonly decodeTimestamp: Ticks }): AccessUnit {
    this.#settled = true;
    return {
      parts,
      timestamp: timestamp - this.#earliest,
      decodeTimestamp: decodeTimestamp - this.#earliest,
      importance,
    };
  }
}
