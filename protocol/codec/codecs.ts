import type { Codec } from './codec.ts';
import { H264 } from './h264/h264.ts';

const CODECS = { h264: H264 } as const satisfies Readonly<Record<string, Codec>>;

/** Codecs that this program can carry. */
export type CodecName = keyof typeof CODECS;

export const CODEC_NAMES = Object.keys(CODECS) as CodecName[];

/** Returns the codec of this name; `undefined` when it is unknown. */
export function codecByName(name: CodecName): Codec;
export function codecByName(name: string): Codec | undefined;
export function codecByName(name: string): Codec | undefined {
  return Object.hasOwn(CODECS, name) ? CODECS[name as CodecName] : undefined;
}
