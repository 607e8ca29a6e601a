import type { AccessUnit } from '../../protocol/access-unit.ts';
import { ticks } from '../../protocol/base/units.ts';
import { codecByName } from '../../protocol/codec/codecs.ts';
import { type TransportStreamSound, TransportStreamWriter } from '../../protocol/transport-stream.ts';
import type { Picture } from './player.ts';
import { rawFeed } from './raw-feed.ts';

/** Stream for a player that demuxes it with FFmpeg, as mpv and ffplay do. */
export interface PlayerFeed {
  /** FFmpeg's name of the format. */
  readonly demuxer: string;
  /** FFmpeg filter that lets through the pictures that are to be shown; `undefined`: times tell. */
  readonly shownOnly: string | undefined;
  readonly serialize: (unit: AccessUnit) => Uint8Array;
  readonly serializeSound?: (unit: AccessUnit) => Uint8Array;
}

/** Sound of a stream in a form that can be muxed; `undefined` without. */
export function muxableSound({ sound }: Picture): TransportStreamSound | undefined {
  const codec = sound && codecByName(sound.codecName);
  return codec?.transportStream ? { codec, parameterSets: sound!.parameterSets } : undefined;
}

/** True for a stream without pictures. */
export const isSoundAlone = ({ codecName }: Picture): boolean => codecByName(codecName).mediaType === 'audio';

/** Pictures alone have no container, and thus no times to wait for; with sound they need the times, in MPEG-TS. */
export function playerFeed(picture: Picture): PlayerFeed {
  const codec = codecByName(picture.codecName);
  const sound = codec.transportStream && muxableSound(picture);
  if (!sound && codec.mediaType === 'video') return rawFeed(codec);
  const { parameterSets = [] } = picture;
  const writer = new TransportStreamWriter({ codec, clockLead: ticks(0), parameterSets, ...(sound && { sound }) });
  return {
    demuxer: 'mpegts',
    shownOnly: undefined,
    serialize: (unit) => writer.write(unit),
    ...(sound && { serializeSound: (unit: AccessUnit) => writer.writeSound(unit) }),
  };
}
