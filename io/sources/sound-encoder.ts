import { type ChildProcess, spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import type { ReadableStream as WebStream } from 'node:stream/web';
import { Input, type InputAudioTrack, OGG, ReadableStreamSource } from 'mediabunny';
import { complaint } from '../ffmpeg/encoder.ts';
import type { Ffmpeg } from '../ffmpeg/ffmpeg-locator.ts';
import { inputGuard } from '../ffmpeg/input-guard.ts';
import { atExit } from '../os/at-exit.ts';
import { Failure } from '../os/failure.ts';
import { within } from '../os/time-limit.ts';

/** Time until ffmpeg must have produced sound, milliseconds: it may have to read far into a file. */
export const ENCODING_MS_MAX = 30_000;
const LAST_WORDS_MS = 1_000;
/** Bit rate of stereo, bits per second, at which Opus is transparent for most listeners. */
export const SOUND_BITRATE = 128_000;
/**
 * Added to all times, seconds, and taken off again: ffmpeg would move negative ones to 0, apart from the pictures.
 */
export const ENCODER_OFFSET_SECONDS = 10;

/** One run of ffmpeg that encodes a sound track as Opus. In Ogg, times are exact to the sample; Matroska rounds them. */
export interface SoundEncoding {
  /** Times are `ENCODER_OFFSET_SECONDS` later than those of the input. */
  readonly track: InputAudioTrack;
  /** Resolves when ffmpeg has ended: what it complained of when it failed; `undefined` otherwise. */
  complaint(): Promise<string | undefined>;
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
  order: { readonly input: string; readonly index: number },
): Promise<SoundEncoding> {
  const { input, index } = order;
  const child = spawn(
    ffmpeg.path,
    [
      ...['-nostdin', '-hide_banner', '-loglevel', 'error', '-copyts', ...inputGuard(input), '-i', input],
      ...['-map', `0:a:${index}`, '-vn', '-sn', '-dn', '-map_metadata', '-1'],
      ...['-c:a', 'libopus', '-b:a', `${SOUND_BITRATE}`, '-ac', '2', '-frame_duration', '20'],
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
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  void ended.then(forget);
  const complaintOf = async () => ((await ended) === 0 ? undefined : (complaint(words, input) ?? 'ffmpeg failed'));
  const stream = Readable.toWeb(child.stdout) as WebStream<Uint8Array>;
  const source = new ReadableStreamSource(stream as unknown as ReadableStream<Uint8Array>);
  const ogg = new Input({ source, formats: [OGG] });
  const close = (): void => stop(child, ogg);
  let late = '';
  try {
    const opened = await within(ENCODING_MS_MAX, Promise.race([ogg.getPrimaryAudioTrack(), failed]));
    if (opened?.value) return { track: opened.value, complaint: complaintOf, close };
    if (!opened) late = `timeout: nothing within ${ENCODING_MS_MAX / 1_000} s`;
  } catch {
    // `words` tell more than the reader of what is not Ogg.
  }
  close();
  // Its last message may still be in the pipe.
  await within(LAST_WORDS_MS, ended);
  throw new Failure(`ffmpeg could not encode the sound: ${complaint(words, input) ?? (late || 'it produced none')}`);
}

function stop(child: ChildProcess, ogg: Input): void {
  child.kill('SIGKILL');
  ogg.dispose();
}
