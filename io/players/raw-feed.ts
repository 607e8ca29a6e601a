import type { AccessUnit } from '../../protocol/access-unit.ts';
import { assert } from '../../protocol/base/assert.ts';
import { DEFAULT_CODEC } from '../../protocol/codec/codecs.ts';

const { byteStream } = DEFAULT_CODEC;
assert(byteStream !== undefined, 'the codec must have a byte stream for players that read raw streams');

/** FFmpeg's name of the raw stream that mpv and ffplay are given. */
export const { demuxer } = byteStream;
/** FFmpeg filter that lets through the pictures that are to be shown. */
export const SHOWN_ONLY = byteStream.shownOnly;

/** Serializes an access unit for a player that parses a raw stream. */
export const serializeForPlayer = ({ parts, decodeOnly }: AccessUnit): Uint8Array =>
  byteStream.writeForPlayer(parts, decodeOnly !== true);
