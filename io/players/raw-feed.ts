import type { AccessUnit } from '../../protocol/access-unit.ts';
import { assert } from '../../protocol/base/assert.ts';
import type { Codec } from '../../protocol/codec/codec.ts';

/** Stream without a container for a player that parses it, as mpv and ffplay do. */
export interface RawFeed {
  /** FFmpeg's name of the raw stream. */
  readonly demuxer: string;
  /** FFmpeg filter that lets through the pictures that are to be shown. */
  readonly shownOnly: string;
  serialize(unit: AccessUnit): Uint8Array;
}

/** Returns the raw stream of a codec that has one. */
export function rawFeed({ byteStream }: Codec): RawFeed {
  assert(byteStream !== undefined, 'the codec must have a byte stream for players that read raw streams');
  return {
    demuxer: byteStream.demuxer,
    shownOnly: byteStream.shownOnly,
    serialize: ({ parts, decodeOnly }) => byteStream.writeForPlayer(parts, decodeOnly !== true),
  };
}
