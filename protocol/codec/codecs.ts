import { assert } from '../base/assert.ts';
import { AAC } from './aac/aac.ts';
import { AV1 } from './av1/av1.ts';
import type { Codec } from './codec.ts';
import { H264 } from './h264/h264.ts';
import { H265 } from './h265/h265.ts';
import { OPUS } from './opus/opus.ts';
import { VP9 } from './vp9/vp9.ts';

const CODECS = { h264: H264, h265: H265, vp9: VP9, av1: AV1, opus: OPUS, aac: AAC } as const satisfies Readonly<
  Record<string, Codec>
>;

/** Codec of a stream for which nothing else is said. */
export const DEFAULT_CODEC: Codec = CODECS.h264;

/** Codecs that this program can carry. */
export type CodecName = keyof typeof CODECS;

/** Names of the codecs that this program can carry. */
export const CODEC_NAMES = Object.keys(CODECS) as CodecName[];

/** Those of them whose access units are pictures. */
export const VIDEO_CODEC_NAMES = CODEC_NAMES.filter((name) => CODECS[name].mediaType === 'video');

/** Returns the name under which both ends know this codec. */
export function codecNameOf(codec: Codec): CodecName {
  assert(
    codecByName(codec.name) === codec,
    'the codec must be in the table of codecs that the control channel announces',
  );
  return codec.name as CodecName;
}

/** Returns the codec of this name; `undefined` when it is unknown. */
export function codecByName(name: CodecName): Codec;
export function codecByName(name: string): Codec | undefined;
export function codecByName(name: string): Codec | undefined {
  return Object.hasOwn(CODECS, name) ? CODECS[name as CodecName] : undefined;
}
