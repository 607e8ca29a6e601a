import type { Log } from '../io/log.ts';
import { type MediaSource, openMediaSource } from '../io/media-source.ts';
import { Recorder } from '../session/recorder.ts';

/** What a sender's command line says of its input. */
export interface SourceCommandOptions {
  readonly encode: 'auto' | 'copy' | 'x264';
  readonly bitrate: number;
  readonly gop: number;
  readonly fps?: number;
  readonly ffmpeg?: string;
  readonly record?: string;
}

export const openSource = (input: string, options: SourceCommandOptions, log: Log): Promise<MediaSource> =>
  openMediaSource(input, {
    encode: options.encode,
    bitrate: options.bitrate,
    gop: options.gop,
    ffmpeg: options.ffmpeg,
    framesPerSecond: options.fps,
    warn: (message) => log.warn(message),
  });

/** What `--record` asks for, if it does. */
export async function openRecord(
  { record }: SourceCommandOptions,
  { description }: MediaSource,
  onFailure: (error: unknown) => void,
): Promise<Recorder | undefined> {
  return record === undefined ? undefined : await Recorder.open(record, description, onFailure);
}
