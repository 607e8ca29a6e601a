import type { InputAudioTrack } from 'mediabunny';
import type { Ffmpeg } from '../ffmpeg/ffmpeg-locator.ts';
import { inputGuard } from '../ffmpeg/input-guard.ts';
import { OpusRun } from '../ffmpeg/opus-run.ts';
import { Failure } from '../os/failure.ts';
import { within } from '../os/time-limit.ts';

/** Time until ffmpeg must have produced sound, milliseconds: it may have to read far into a file. */
export const ENCODING_MS_MAX = 30_000;
const LAST_WORDS_MS = 1_000;
/**
 * Share by which sound whose times drift from its samples is stretched or squeezed at most: 1.7 cents, which is inaudible.
 * Jumps of the times from 0.1 s on are filled with silence or cut.
 */
const CORRECTION_MAX = 0.001;
/** Parameters of ffmpeg that keep the times of the sound. */
export const KEEPING_TIMES = ['-af', `aresample=async=1:max_soft_comp=${CORRECTION_MAX}`];
/**
 * Added to all times, seconds, and taken off again: ffmpeg would move negative ones to 0, apart from the pictures.
 */
export const ENCODER_OFFSET_SECONDS = 10;
/** Time before the place that is wanted at which ffmpeg begins, seconds: its encoder needs some sound to get going. */
const SEEK_MARGIN_SECONDS = 0.5;

/** One run of ffmpeg that encodes a sound track as Opus. */
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
 * @param order.bitrate bits per second; by default that of transparent stereo.
 * @param order.fromSeconds place from which sound is wanted, seconds from the beginning; what is before it may be missing.
 * @throws {Failure} when it produces no sound.
 */
export async function encodeSound(
  ffmpeg: Ffmpeg,
  order: {
    readonly input: string;
    readonly index: number;
    readonly fromSeconds?: number;
    readonly bitrate?: number | undefined;
  },
): Promise<SoundEncoding> {
  const { input, index, fromSeconds = 0, bitrate } = order;
  const from = fromSeconds - SEEK_MARGIN_SECONDS;
  const parameters = [
    ...['-copyts', ...(from > 0 ? ['-ss', from.toFixed(3)] : []), ...inputGuard(input), '-i', input],
    ...['-map', `0:a:${index}`, '-vn', '-sn', '-dn', '-map_metadata', '-1'],
    ...KEEPING_TIMES,
    ...['-output_ts_offset', `${ENCODER_OFFSET_SECONDS}`],
  ];
  const run = new OpusRun(ffmpeg, { parameters, name: input, bitrate });
  run.stdin.end();
  const complaint = async () => ((await run.ended) === 0 ? undefined : (run.complaint() ?? 'ffmpeg failed'));
  let late = '';
  try {
    const opened = await within(ENCODING_MS_MAX, run.ogg.getPrimaryAudioTrack());
    if (opened?.value) return { track: opened.value, complaint, close: () => run.close() };
    if (!opened) late = `timeout: nothing within ${ENCODING_MS_MAX / 1_000} s`;
  } catch {
    // ffmpeg tells more than the reader of what is not Ogg.
  }
  run.close();
  // Its last message may still be in the pipe.
  await within(LAST_WORDS_MS, run.ended);
  throw new Failure(`ffmpeg could not encode the sound: ${run.complaint() ?? (late || 'it produced none')}`);
}
