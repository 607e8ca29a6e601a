import { createReadStream } from 'node:fs';
import type { Codec } from '../../protocol/codec/codec.ts';
import { type CodecName, codecByName } from '../../protocol/codec/codecs.ts';
import { AnnexBSplitter, splitAnnexB } from '../../protocol/codec/nal/annex-b.ts';
import { nalStreamOf } from '../../protocol/codec/nal-streams.ts';

const CHUNK_BYTES = 256 * 1024;
/** Codecs with such streams; the one whose headers are harder to mistake is first. */
const CODEC_NAMES: readonly CodecName[] = ['h265', 'h264'];

/**
 * Returns the codec of a raw byte stream (Annex B) from the start of its file, whatever the file name; `undefined` when
 * it is none.
 */
export function codecOfAnnexB(head: Uint8Array): CodecName | undefined {
  const firstOne = head.findIndex((byte) => byte !== 0);
  if (firstOne < 2 || head[firstOne] !== 1) return undefined;
  const parts = splitAnnexB(head);
  return CODEC_NAMES.find((name) => nalStreamOf(codecByName(name)).recognizesStream(parts));
}

/** The frame rate that the first sequence parameter set declares; `undefined`: it declares none. */
export function rateOfAnnexB(head: Uint8Array, codec: Codec): number | undefined {
  return codec.describe(codec.parameterSetsOf(splitAnnexB(head)))?.framesPerSecond;
}

/** Yields the NAL units of a raw stream, read on demand. */
export async function* annexBNalUnits(path: string): AsyncGenerator<readonly Uint8Array[]> {
  const splitter = new AnnexBSplitter();
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Uint8Array>) {
    yield splitter.push(chunk);
  }
  yield splitter.flush();
}
