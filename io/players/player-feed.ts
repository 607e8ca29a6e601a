import type { AccessUnit } from '../../protocol/access-unit.ts';
import { concatenated } from '../../protocol/base/concatenated.ts';
import { ticks } from '../../protocol/base/units.ts';
import { codecByName } from '../../protocol/codec/codecs.ts';
import { SOUND_BEFORE_MAX } from '../../protocol/codec/sound/sound-units.ts';
import { MatroskaWriter } from '../../protocol/matroska/matroska-writer.ts';
import { type TransportStreamSound, TransportStreamWriter } from '../../protocol/transport-stream.ts';
import type { Picture } from './player.ts';
import { rawFeed } from './raw-feed.ts';
import { fillingSilence } from './silence-fill.ts';

/** Stream for a player that demuxes it with FFmpeg, as mpv and ffplay do. */
export interface PlayerFeed {
  /** FFmpeg's name of the format. */
  readonly demuxer: string;
  /** FFmpeg filter that lets through the pictures that are to be shown; `undefined`: the container tells. */
  readonly shownOnly: string | undefined;
  /** True with sound: pictures are shown by their times. */
  readonly hasSound: boolean;
  readonly serialize: (unit: AccessUnit) => Uint8Array;
  readonly serializeSound?: (unit: AccessUnit) => Uint8Array;
}

/** Sound of a stream in a form that can be muxed; `undefined` without. */
export function muxableSound({ sound }: Pick<Picture, 'sound'>): TransportStreamSound | undefined {
  const codec = sound && codecByName(sound.codecName);
  return codec?.transportStream ? { codec, parameterSets: sound!.parameterSets } : undefined;
}

/** True for a stream without pictures. */
export const isSoundAlone = ({ codecName }: Picture): boolean => codecByName(codecName).mediaType === 'audio';

/** Pictures alone have no container, and thus no times to wait for; with sound they need the times, in MPEG-TS. */
export function playerFeed(picture: Picture): PlayerFeed {
  const codec = codecByName(picture.codecName);
  const sound = codec.transportStream && muxableSound(picture);
  if (!codec.transportStream) return matroskaFeed(picture);
  if (!sound && codec.mediaType === 'video') return { ...rawFeed(codec), hasSound: false };
  const { parameterSets = [] } = picture;
  const writer = new TransportStreamWriter({ codec, clockLead: ticks(0), parameterSets, ...(sound && { sound }) });
  const write = (unit: AccessUnit): Uint8Array => writer.write(unit);
  return {
    demuxer: 'mpegts',
    shownOnly: undefined,
    hasSound: true,
    serialize: codec.sound ? fillingSilence({ codec, parameterSets }, write) : write,
    ...(sound && { serializeSound: fillingSilence(sound, (unit) => writer.writeSound(unit)) }),
  };
}

/** Matroska holds what has no byte stream, and MPEG-TS does not. It begins with the first key frame. */
function matroskaFeed(picture: Picture): PlayerFeed {
  const codec = codecByName(picture.codecName);
  const soundCodec = picture.sound && codecByName(picture.sound.codecName);
  const sound = picture.sound &&
    soundCodec?.matroska && { codec: soundCodec, parameterSets: picture.sound.parameterSets };
  let writer: MatroskaWriter | undefined;
  const begin = (unit: AccessUnit): Uint8Array => {
    const { width, height } = picture;
    const pictures = { codec, parameterSets: codec.parameterSetsOf(unit.parts), width, height };
    const epoch = ticks(unit.timestamp - SOUND_BEFORE_MAX);
    writer = new MatroskaWriter({ pictures, ...(sound && { sound }), epoch });
    return concatenated([writer.header(), writer.write(unit)]);
  };
  return {
    demuxer: 'matroska',
    shownOnly: undefined,
    hasSound: sound !== undefined,
    serialize: (unit) => (writer ? writer.write(unit) : begin(unit)),
    ...(sound && { serializeSound: fillingSilence(sound, (unit) => writer?.writeSound(unit) ?? new Uint8Array(0)) }),
  };
}
