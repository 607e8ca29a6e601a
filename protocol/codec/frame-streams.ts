import type { Importance } from '../access-unit.ts';
import { av1ConfigurationObus } from './av1/configuration.ts';
import { Av1ImportanceTracker } from './av1/importance.ts';
import { splitTemporalUnit } from './av1/obu.ts';
import type { Codec } from './codec.ts';
import { importanceOfVp9 } from './vp9/vp9.ts';

/** How containers hold a codec whose samples are access units. */
export interface FrameStreamFormat {
  /** Name for messages: `VP9`. */
  readonly title: string;
  /** Configuration that decoding needs, for messages. */
  readonly parameterSetNames: string;
  /** Returns the parts of the access unit in a sample; empty when nothing in it can be read. */
  split(sample: Uint8Array): readonly Uint8Array[];
  /** Returns the parameter sets in a decoder configuration of MP4. */
  parameterSetsOf(record: Uint8Array): readonly Uint8Array[];
  /** Returns a function that tells the importance of access units in stream order. */
  trackImportance(): (parts: readonly Uint8Array[]) => Importance;
}

const VP9_FRAMES: FrameStreamFormat = {
  title: 'VP9',
  parameterSetNames: 'key frame',
  split: (sample) => (sample.length === 0 ? [] : [sample]),
  parameterSetsOf: () => [],
  trackImportance:
    () =>
    ([frame]) =>
      frame ? importanceOfVp9(frame) : 'reference',
};

const AV1_FRAMES: FrameStreamFormat = {
  title: 'AV1',
  parameterSetNames: 'sequence header',
  split: splitTemporalUnit,
  parameterSetsOf: (record) => splitTemporalUnit(av1ConfigurationObus(record)),
  trackImportance: () => {
    const tracker = new Av1ImportanceTracker();
    return (parts) => tracker.importanceOf(parts);
  },
};

const FORMATS: Readonly<Partial<Record<string, FrameStreamFormat>>> = { vp9: VP9_FRAMES, av1: AV1_FRAMES };

/** Returns how containers hold this codec; `undefined` for one whose parts are NAL units. */
export const frameStreamOf = ({ name }: Pick<Codec, 'name'>): FrameStreamFormat | undefined => FORMATS[name];
