import type { EncodedPacket, InputAudioTrack } from 'mediabunny';
import { CLOCK_RATE, type Ticks, ticks } from '../../protocol/base/units.ts';
import { type AdtsHeader, parseAdts } from '../../protocol/codec/aac/adts.ts';
import { configOfAdts } from '../../protocol/codec/aac/audio-specific-config.ts';
import { type CodecName, codecByName } from '../../protocol/codec/codecs.ts';
import { OPUS_CLOCK_RATE, parseOpusHead, serializeOpusHead } from '../../protocol/codec/opus/opus-head.ts';
import type { Edit } from '../mp4/mp4-structure.ts';

/** How the packets of a container become access units. */
export interface SoundFormatOfTrack {
  readonly codecName: CodecName;
  readonly parameterSets: readonly Uint8Array[];
  /** Time by which the container's times are late, 90 kHz: Matroska includes the decoder's delay. */
  readonly delay: Ticks;
  /** Edits of the container; default: none. */
  readonly edits?: readonly Edit[] | undefined;
  /** Factor for the container's times, where these are false; default 1. */
  readonly timeScale?: number | undefined;
  /** Returns the access unit in a packet; `undefined` when there is none. */
  readonly unitOf: (packet: Uint8Array) => Uint8Array | undefined;
  /** Returns true for a packet that needs other parameter sets; absent where packets do not describe themselves. */
  readonly isOther?: ((packet: Uint8Array) => boolean) | undefined;
}

/** RFC 7587 carries mono and stereo. */
const OPUS_CHANNELS_MAX = 2;
/** Samples of 48 kHz that an Opus decoder discards where nothing says how many: those of libopus. */
const PRE_SKIP_DEFAULT = 312;

/** Returns how a track of a container is copied; `undefined` when it must be encoded anew. */
export async function copiedFormatOf(
  track: InputAudioTrack,
  first: EncodedPacket | null,
  isMatroska: boolean,
): Promise<SoundFormatOfTrack | undefined> {
  const codec = await track.getCodec();
  if (codec !== 'aac' && codec !== 'opus') return undefined;
  const config = await track.getDecoderConfig();
  const description = config?.description === undefined ? undefined : bytesOf(config.description);
  if (codec === 'aac') return aacFormat(description, first?.data);
  return opusFormat(description, config?.numberOfChannels ?? 2, isMatroska);
}

/** Frames of a transport stream have ADTS headers, which describe them; others are described by the container. */
function aacFormat(description: Uint8Array | undefined, first: Uint8Array | undefined): SoundFormatOfTrack | undefined {
  const header = description === undefined && first ? parseAdts(first) : undefined;
  const config = header ? configOfAdts(header) : description;
  if (config === undefined || config.length === 0) return undefined;
  // Some containers pad it.
  const parameterSets = [config.length > AAC_CONFIG_BYTES_MAX ? config.subarray(0, AAC_CONFIG_BYTES_MAX) : config];
  const format = codecByName('aac').sound?.describe(parameterSets);
  if (!format) return undefined;
  if (!header) return { codecName: 'aac', parameterSets, delay: ticks(0), unitOf: (packet) => packet };
  const isOther = (packet: Uint8Array): boolean => {
    const found = parseAdts(packet);
    return found !== undefined && !isSameSound(found, header);
  };
  return { codecName: 'aac', parameterSets, delay: ticks(0), unitOf: withoutAdts, isOther };
}

function isSameSound(one: AdtsHeader, other: AdtsHeader): boolean {
  return (
    one.objectType === other.objectType &&
    one.rateIndex === other.rateIndex &&
    one.channelConfiguration === other.channelConfiguration
  );
}

/** Longest configuration of AAC without a program configuration element. */
const AAC_CONFIG_BYTES_MAX = 64;

function opusFormat(
  description: Uint8Array | undefined,
  channels: number,
  isMatroska: boolean,
): SoundFormatOfTrack | undefined {
  const head = (description && parseOpusHead(description)) ?? {
    channels,
    preSkip: PRE_SKIP_DEFAULT,
    inputRate: OPUS_CLOCK_RATE,
    gain: 0,
    mappingFamily: 0,
    mappingTable: new Uint8Array(0),
  };
  if (head.channels > OPUS_CHANNELS_MAX || head.mappingFamily !== 0) return undefined;
  const delay = isMatroska ? Math.round((head.preSkip * CLOCK_RATE) / OPUS_CLOCK_RATE) : 0;
  const parameterSets = [serializeOpusHead(head)];
  return { codecName: 'opus', parameterSets, delay: ticks(delay), unitOf: (packet) => packet };
}

/** Returns the frame behind an ADTS header. */
function withoutAdts(packet: Uint8Array): Uint8Array | undefined {
  const header = parseAdts(packet);
  return header && packet.subarray(header.headerBytes, header.frameBytes);
}

function bytesOf(source: ArrayBufferLike | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source);
}
