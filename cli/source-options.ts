import type { Log } from '../io/os/log.ts';
import type { MediaSource } from '../io/sources/media-source.ts';
import type { Recorder } from '../session/run/recorder.ts';
import { Interrupt } from './interrupt.ts';

/** What a sender's command line says of its input. */
export interface SourceCommandOptions {
  readonly encode: 'auto' | 'copy' | 'x264';
  readonly bitrate: number;
  readonly gop: number;
  readonly fps?: number;
  readonly ffmpeg?: string;
  readonly record?: string;
}

export async function openSource(input: string, options: SourceCommandOptions, log: Log): Promise<MediaSource> {
  // Loaded only by who reads media: it takes as long as everything that a receiver needs.
  const { openMediaSource } = await import('../io/sources/open-source.ts');
  // Nothing has begun yet: an interruption ends the process, and with it what was started to look at the input.
  const interrupt = new Interrupt(() => process.exit(0));
  try {
    return await openMediaSource(input, {
      encode: options.encode,
      bitrate: options.bitrate,
      gop: options.gop,
      ffmpeg: options.ffmpeg,
      framesPerSecond: options.fps,
      warn: (message) => log.warn(message),
    });
  } finally {
    interrupt.dispose();
  }
}

/** What `--record` asks for, if it does. */
export async function openRecord(
  { record }: SourceCommandOptions,
  { description }: MediaSource,
  onFailure: (error: unknown) => void,
): Promise<Recorder | undefined> {
  if (record === undefined) return undefined;
  const { Recorder } = await import('../session/run/recorder.ts');
  return await Recorder.open(record, description, onFailure);
}
