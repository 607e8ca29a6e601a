import { assert } from '../base/assert.ts';
import type { Codec } from './codec.ts';
import { STREAM_FORMAT } from './h264/stream-format.ts';
import { H265_STREAM_FORMAT } from './h265/stream-format.ts';
import type { NalStreamFormat } from './nal/nal-stream-format.ts';

const FORMATS: Readonly<Partial<Record<string, NalStreamFormat>>> = { h264: STREAM_FORMAT, h265: H265_STREAM_FORMAT };

/** True for a codec whose parts are NAL units. */
export const hasNalUnits = ({ name }: Pick<Codec, 'name'>): boolean => FORMATS[name] !== undefined;

/** Returns how files hold the NAL units of this codec. */
export function nalStreamOf({ name }: Pick<Codec, 'name'>): NalStreamFormat {
  const format = FORMATS[name];
  assert(format !== undefined, 'the codec must be one whose parts are NAL units');
  return format;
}
