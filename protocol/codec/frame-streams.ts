import type { Importance } from '../access-unit.ts';
import type { Codec } from './codec.ts';
import { importanceOfVp9 } from './vp9/vp9.ts';

/** How containers hold a codec whose samples are access units, each in one piece. */
export interface FrameStreamFormat {
  /** Name for messages: `VP9`. */
  readonly title: string;
  /** Configuration that decoding needs, for messages. */
  readonly parameterSetNames: string;
  /** Returns the parts of the access unit in a sample; empty when nothing in it can be read. */
  split(sample: Uint8Array): readonly Uint8Array[];
  importanceOf(parts: readonly Uint8Array[]): Importance;
}

const VP9_FRAMES: FrameStreamFormat = {
  title: 'VP9',
  parameterSetNames: 'key frame',
  split: (sample) => (sample.length === 0 ? [] : [sample]),
  importanceOf: ([frame]) => (frame ? importanceOfVp9(frame) : 'reference'),
};

const FORMATS: Readonly<Partial<Record<string, FrameStreamFormat>>> = { vp9: VP9_FRAMES };

/** Returns how containers hold this codec; `undefined` for one whose parts are NAL units. */
export const frameStreamOf = ({ name }: Pick<Codec, 'name'>): FrameStreamFormat | undefined => FORMATS[name];
