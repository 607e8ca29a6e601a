import { basename } from 'node:path';
import type { MediaDescription } from '../../io/sources/media-source.ts';
import { codecByName } from '../../protocol/codec/codecs.ts';
import {
  type HelloMessage,
  MEDIA_NAME_CHARACTERS_MAX,
  presentable,
  presentableParameterSets,
  type WelcomeMessage,
} from '../../protocol/control/control-message.ts';
import { CONTROL_MAJOR, CONTROL_MINOR, minorVersionOf } from '../../protocol/control/control-version.ts';
import type { ServerSession } from './server-session.ts';

/** First version whose receivers take sound without pictures. */
const MINOR_SOUND_ALONE = 2;

/** Returns the answer to a receiver's hello: its session, and the media that it will get. */
export function welcomeMessage(
  session: ServerSession,
  hello: HelloMessage,
  stream: {
    readonly description: MediaDescription;
    readonly loop: boolean;
    readonly position: WelcomeMessage['position'];
  },
): WelcomeMessage {
  const { description, loop, position } = stream;
  const { name, codec, width, height, rotation, framesPerSecond, durationSeconds, mode, parameterSets } = description;
  const minor = minorVersionOf(hello.userAgent);
  const sets = presentableParameterSets(parameterSets);
  return {
    kind: 'welcome',
    version: CONTROL_MAJOR,
    session: session.id,
    key: session.key,
    ...session.streamFields,
    media: {
      name: presentable(basename(name), MEDIA_NAME_CHARACTERS_MAX),
      codec,
      width,
      height,
      ...(minor > 0 && rotation && { rotation }),
      framesPerSecond:
        framesPerSecond !== undefined && framesPerSecond > 0 && framesPerSecond <= 100_000 ? framesPerSecond : null,
      durationMs: durationSeconds === undefined || loop ? null : Math.max(0, durationSeconds * 1_000),
      mode,
    },
    parameterSets: minor === 0 ? sets : [],
    position,
    ...(session.paths.count > 1 && { paths: 2 as const }),
    // Release 0.1.0 closes the connection on an unknown field.
    ...(minor > 0 && { minor: CONTROL_MINOR, streams: session.announced({ decoder: codec, parameterSets: sets }) }),
  };
}

/** Returns why a receiver of version 1.0, which reads no list of streams, gets nothing of a stream that is not H.264. */
export function codecRefusal({ userAgent }: HelloMessage, { codecName }: MediaDescription): string | undefined {
  const minor = minorVersionOf(userAgent);
  if (codecByName(codecName).mediaType === 'audio') {
    return minor >= MINOR_SOUND_ALONE
      ? undefined
      : 'the stream is sound alone, which this release of the receiver does not know: update it';
  }
  if (minor > 0 || codecName === 'h264') return undefined;
  const stream = `the stream is ${codecName.toUpperCase()}, which this release of the receiver does not know`;
  return `${stream}: update it, or send with --encode x264`;
}
