import type { Codec, VideoFormat } from '../codec/codec.ts';
import type { Rotation } from '../codec/nal/display-orientation.ts';
import type { VideoSignal } from '../codec/nal/video-signal.ts';
import { parseOpusHead } from '../codec/opus/opus-head.ts';
import { ebmlElement, floatElement, textElement, unsignedElement } from './ebml.ts';

/** A stream in Matroska: a codec that it can hold, and what its decoder must know. */
export interface MatroskaStream {
  readonly codec: Codec;
  readonly parameterSets: readonly Uint8Array[];
}

/** The pictures of a file. */
export interface MatroskaPictures extends MatroskaStream {
  /** Luma samples after cropping, where the parameter sets do not tell. */
  readonly width: number;
  readonly height: number;
  /** Rotation clockwise that a player applies; none by default. */
  readonly rotation?: Rotation | undefined;
}

/** Element identifiers (RFC 9559 §5.1.4). */
const ID = {
  entry: 0xae,
  number: 0xd7,
  uid: 0x73c5,
  type: 0x83,
  lacing: 0x9c,
  language: 0x22b59c,
  codecId: 0x86,
  codecPrivate: 0x63a2,
  codecDelay: 0x56aa,
  seekPreRoll: 0x56bb,
  video: 0xe0,
  pixelWidth: 0xb0,
  pixelHeight: 0xba,
  displayWidth: 0x54b0,
  displayHeight: 0x54ba,
  displayUnit: 0x54b2,
  color: 0x55b0,
  matrix: 0x55b1,
  range: 0x55b9,
  transfer: 0x55ba,
  primaries: 0x55bb,
  projection: 0x7670,
  projectionType: 0x7671,
  roll: 0x7675,
  audio: 0xe1,
  samplingFrequency: 0xb5,
  channels: 0x9f,
} as const;

const TYPE = { video: 1, audio: 2 } as const;
/** DisplayUnit: the display size is an aspect ratio (§5.1.4.1.28.14). */
const ASPECT_RATIO = 3;
const RANGE = { broadcast: 1, full: 2 } as const;
const NANOSECONDS = 1e9;
/** Opus decoders need 80 ms before a position (RFC 7845 §4.6). */
const OPUS_PRE_ROLL_NS = 80_000_000;

/** Delay of a decoder that block timestamps include, seconds. */
export function codecDelayOf({ codec, parameterSets }: MatroskaStream): number {
  const head = codec.name === 'opus' && parameterSets[0] ? parseOpusHead(parameterSets[0]) : undefined;
  return head ? head.preSkip / codec.clockRate : 0;
}

/** Returns the TrackEntry of a stream. */
export function trackEntry(number: number, stream: MatroskaStream | MatroskaPictures): Uint8Array {
  const { codec, parameterSets } = stream;
  const { codecId, codecPrivate } = codec.matroska!;
  const record = codecPrivate(parameterSets);
  const delay = codecDelayOf(stream);
  return ebmlElement(
    ID.entry,
    unsignedElement(ID.number, number),
    unsignedElement(ID.uid, number),
    unsignedElement(ID.type, TYPE[codec.mediaType]),
    unsignedElement(ID.lacing, 0),
    textElement(ID.language, 'und'),
    textElement(ID.codecId, codecId),
    ...(record ? [ebmlElement(ID.codecPrivate, record)] : []),
    ...(delay > 0
      ? [
          unsignedElement(ID.codecDelay, Math.round(delay * NANOSECONDS)),
          unsignedElement(ID.seekPreRoll, OPUS_PRE_ROLL_NS),
        ]
      : []),
    'width' in stream ? videoElement(stream) : audioElement(stream),
  );
}

function videoElement({ codec, parameterSets, width, height, rotation = 0 }: MatroskaPictures): Uint8Array {
  const format: Pick<VideoFormat, 'width' | 'height' | 'signal'> = codec.describe(parameterSets) ?? { width, height };
  const { sampleAspect } = format.signal ?? {};
  const isSquare = !sampleAspect || sampleAspect.width === sampleAspect.height;
  return ebmlElement(
    ID.video,
    unsignedElement(ID.pixelWidth, format.width),
    unsignedElement(ID.pixelHeight, format.height),
    ...(isSquare
      ? []
      : [
          unsignedElement(ID.displayWidth, format.width * sampleAspect.width),
          unsignedElement(ID.displayHeight, format.height * sampleAspect.height),
          unsignedElement(ID.displayUnit, ASPECT_RATIO),
        ]),
    ...colorElements(format.signal),
    // The roll is anticlockwise.
    ...(rotation === 0
      ? []
      : [ebmlElement(ID.projection, unsignedElement(ID.projectionType, 0), floatElement(ID.roll, -signed(rotation)))]),
  );
}

/** Between −180 (excluded) and 180 degrees, as the roll is. */
const signed = (rotation: Rotation): number => (rotation === 270 ? -90 : rotation);

function colorElements({ color, isFullRange = false }: VideoSignal = {}): Uint8Array[] {
  if (!color) return [];
  return [
    ebmlElement(
      ID.color,
      unsignedElement(ID.matrix, color.matrix),
      unsignedElement(ID.range, isFullRange ? RANGE.full : RANGE.broadcast),
      unsignedElement(ID.transfer, color.transfer),
      unsignedElement(ID.primaries, color.primaries),
    ),
  ];
}

function audioElement({ codec, parameterSets }: MatroskaStream): Uint8Array {
  const { sampleRate, channels } = codec.sound!.describe(parameterSets)!;
  return ebmlElement(ID.audio, floatElement(ID.samplingFrequency, sampleRate), unsignedElement(ID.channels, channels));
}
