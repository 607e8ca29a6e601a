import type { Codec } from './codec.ts';
import { type FrameStreamFormat, frameStreamOf } from './frame-streams.ts';
import { nalStreamOf } from './nal-streams.ts';

/** Names of a codec of pictures for messages: `title`, and `parameterSetNames`, which decoding needs. */
export const codecTitle = (codec: Pick<Codec, 'name'>): Pick<FrameStreamFormat, 'title' | 'parameterSetNames'> =>
  frameStreamOf(codec) ?? nalStreamOf(codec);
