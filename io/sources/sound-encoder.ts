import { type ChildProcess, spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import type { ReadableStream as WebStream } from 'node:stream/web';
import { Input, type InputAudioTrack, OGG, ReadableStreamSource } from 'mediabunny';
import { complaint } from '../ffmpeg/encoder.ts';
import type { Ffmpeg } from '../ffmpeg/ffmpeg-locator.ts';
import { inputGuard } from '../ffmpeg/input-guard.ts';
import { atExit } from '../os/at-exit.ts';
import { Failure } from '../os/failure.ts';

/** Bit rate of stereo, bits per second, at which Opus is transparent for most listeners. */
const BITRATE = 128_000;
/**
 * Added to all times, seconds, and taken off again: ffmpeg would move negative ones to 0, apart from the pictures.
 */
export const ENCODER_OFFSET_SECONDS = 10;

/** One run of ffmpeg that encodes a sound track as Opus. In Ogg, times are exact to the sample; Matroska rounds them. */
export interface SoundEncoding {
  /** Times are `ENCODER_OFFSET_SECONDS` later than those of the input. */
  readonly track: InputAudioTrack;
  /** Stops ffmpeg. */
  close(): void;
}

/**
 * Starts ffmpeg over a file or URL in its syntax.
 * @param order.index of the sound track among those of the input, from 0.
 * @throws {Failure} when it produces no sound.
 */
export async function encodeSound(
  ffmpeg: Ffmpeg,
  order: { readonly input: string; readonly index: number; readonly name: string },
): Promise<SoundEncoding> {
  const { input, index, name } = order;
  const child = spawn(
    ffmpeg.path,
    [
      ...['-nostdin', '-hide_banner', '-loglevel', 'error', '-copyts', ...inputGuard(input), '-i', input],
      ...['-map', `0:a:${index}`, '-vn', '-sn', '-dn', '-map_metadata', '-1'],
      ...['-c:a', 'libopus', '-b:a', `${BITRATE}`, '-ac', '2', '-frame_duration', '20'],
      // Gaps of the input stay, as the times are kept.
      ...['-output_ts_offset', `${ENCODER_OFFSET_SECONDS}`, '-page_duration', '20000', '-flush_packets', '1'],
      ...['-f', 'ogg', 'pipe:1'],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-4_000);
  });
  const failed = new Promise<never>((_, reject) => child.once('error', reject));
  failed.catch(() => {});
  const forget = atExit(() => void child.kill('SIGKILL'));
  child.once('close', forget);
  const stream = Readable.toWeb(child.stdout) as WebStream<Uint8Array>;
  const source = new ReadableStreamSource(stream as unknown as ReadableStream<Uint8Array>);
  const ogg = new Input({ source, formats: [OGG] });
  const close = (): void => stop(child, ogg);
  try {
    const track = await Promise.race([ogg.getPrimaryAudioTrack(), failed]);
    if (track) return { track, close };
  } catch {
    // `words` tell more than the reader of what is not Ogg.
  }
  close();
  throw new Failure(`${name}: ffmpeg could not encode the sound: ${complaint(words, input) ?? 'it produced none'}`);
}

function stop(child: ChildProcess, ogg: Input): void {
  child.kill('SIGKILL');
  ogg.dispose();
}
