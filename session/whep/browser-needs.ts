import type { MediaSource } from '../../io/sources/media-source.ts';
import type { Codec } from '../../protocol/codec/codec.ts';
import { codecTitle } from '../../protocol/codec/codec-title.ts';
import { codecByName } from '../../protocol/codec/codecs.ts';

/** Reasons for which parts of a source are encoded for browsers; `undefined` where they pass through. */
export interface BrowserNeeds {
  readonly pictures: string | undefined;
  readonly sound: string | undefined;
}

/**
 * Codecs that pass through: every browser decodes them by WebRTC, but for AV1, which cannot be fed to the encoder and goes to
 * those that offer it. HEVC is not one of them.
 */
const CODECS: ReadonlySet<string> = new Set(['h264', 'vp9', 'av1', 'opus']);

/** Returns what must be encoded before browsers can show a source by WebRTC. */
export function browserNeeds(source: Pick<MediaSource, 'description' | 'sound' | 'playlist'>): BrowserNeeds {
  const { description, sound, playlist } = source;
  const codec = codecByName(description.codecName);
  const isSoundAlone = codec.mediaType === 'audio';
  const reorders = playlist?.reorders || codec.reorders?.(description.parameterSets) === true;
  const soundCodec = isSoundAlone ? description.codecName : sound?.description.codecName;
  return {
    pictures: isSoundAlone ? undefined : pictureNeed(codec, description.parameterSets, reorders),
    sound: soundCodec === undefined || CODECS.has(soundCodec) ? undefined : soundCodec.toUpperCase(),
  };
}

function pictureNeed(codec: Codec, parameterSets: readonly Uint8Array[], reorders: boolean): string | undefined {
  const { title } = codecTitle(codec);
  if (!CODECS.has(codec.name)) return title;
  // Decoders of WebRTC show pictures in the order in which they come.
  if (reorders) return `${title} with B-frames`;
  return codec.exceedsBaseFormat?.(parameterSets) === true ? `${title} beyond 8-bit 4:2:0` : undefined;
}
