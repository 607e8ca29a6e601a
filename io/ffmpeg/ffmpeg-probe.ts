import { CLOCK_RATE, type Ticks, ticks } from '../../protocol/base/units.ts';
import type { Rotation } from '../../protocol/codec/nal/display-orientation.ts';
import { complaint } from './encoder.ts';
import { askFfmpeg, type FfmpegAnswer } from './ffmpeg-answer.ts';
import type { Ffmpeg } from './ffmpeg-locator.ts';
import { inputGuard } from './input-guard.ts';

/** Properties of an input as found by ffmpeg. */
export interface Probe {
  /** First video stream that is not a cover picture. */
  readonly video: ProbedVideo | undefined;
  readonly hasAudio: boolean;
  /** Streams of sound, in their order. */
  readonly sound: readonly ProbedSound[];
  /** False for AVI, which has decode times only: with B-frames these differ from presentation times. */
  readonly hasPresentationTimes: boolean;
  readonly durationSeconds: number | undefined;
  /** Error message, when no stream was found. */
  readonly complaint: string | undefined;
}

export interface ProbedSound {
  /** ffmpeg's codec name: `aac`, `mp2`, `vorbis`. */
  readonly codec: string;
  /** ISO 639-2 code; `und` where the input names none. */
  readonly language: string;
}

export interface ProbedVideo {
  /** ffmpeg's codec name: `h264`, `hevc`, `vp9`, `mpeg2video`. */
  readonly codec: string;
  readonly framesPerSecond: number | undefined;
  /** Size of the picture as it is stored, luma samples; `undefined` when ffmpeg states none. */
  readonly size: { readonly width: number; readonly height: number } | undefined;
  /** Rotation clockwise that a player applies. */
  readonly rotation: Rotation;
}

/** Lowest rate treated as a clock, ticks per second: an AVI clock is the frame rate, and no camera reaches it. */
const CLOCK_MIN = 500;
/** Time without work after which a probe ends, milliseconds: ffmpeg analyzes 5 s of an input, and a camera or a server may be slow. */
const PROBE_MS_MAX = 20_000;

/**
 * Examines a file or URL with ffmpeg; ffprobe may be missing. ffmpeg is run without an output: it lists the streams,
 * then fails.
 */
export async function probe(
  ffmpeg: Pick<Ffmpeg, 'path'>,
  input: string,
  { live, patienceMs }: ProbeOptions = {},
): Promise<Probe> {
  const { stderr, late } = await runProbe(ffmpeg, input, { live, patienceMs });
  return readProbe(stderr, input, late);
}

/** Returns ffmpeg's list of the streams and chapters of an input, as `readProbe` reads it; `late`: the cause of a timeout. */
export async function listStreams(
  ffmpeg: Pick<Ffmpeg, 'path'>,
  input: string,
): Promise<{ readonly list: string; readonly late: string | undefined }> {
  const { stderr, late } = await runProbe(ffmpeg, input, {});
  return { list: stderr, late };
}

function runProbe(
  { path }: Pick<Ffmpeg, 'path'>,
  input: string,
  { live, patienceMs = PROBE_MS_MAX }: ProbeOptions,
): Promise<FfmpegAnswer> {
  const parameters = ['-hide_banner', '-nostdin', ...(live?.options ?? inputGuard(input)), '-i', input];
  return askFfmpeg(path, parameters, { limits: { idleMs: patienceMs }, input: live?.head });
}

export interface ProbeOptions {
  readonly live?: ProbedBeginning | undefined;
  /** Time for which ffmpeg may do nothing, milliseconds; by default 20 s. */
  readonly patienceMs?: number | undefined;
}

/** How a live input is examined. */
export interface ProbedBeginning {
  /** All options in front of `-i`. */
  readonly options: readonly string[];
  /** Beginning of an input that is not opened by ffmpeg. */
  readonly head?: Uint8Array | undefined;
}

/**
 * Parses ffmpeg's list of streams:
 *
 *     Input #0, mpegts, from 'clip.ts':
 *     Duration: 00:00:10.02, start: 10.023222, bitrate: 1528 kb/s
 *     Stream #0:1[0x100](und): Video: h264 (High) ([27][0][0][0] / 0x001B), yuv420p, 1280x720, 60 fps, 60 tbr
 */
export function readProbe(errorOutput: string, input: string, late?: string): Probe {
  const streams = errorOutput.split(/[\r\n]+/).filter((line) => /^\s*Stream #\d/.test(line));
  const video = streams.find((line) => / Video: /.test(line) && !line.includes('(attached pic)'));
  const duration = /Duration: (\d+):(\d+):(\d+(?:\.\d+)?)/.exec(errorOutput);
  const isGivenUp = streams.length === 0;
  return {
    video: video === undefined ? undefined : readVideo(video, errorOutput.slice(errorOutput.indexOf(video))),
    hasPresentationTimes: !/^Input #0, avi,/m.test(errorOutput),
    hasAudio: streams.some((line) => / Audio: /.test(line)),
    sound: streams.filter((line) => / Audio: /.test(line)).map(readSound),
    durationSeconds:
      duration === null ? undefined : Number(duration[1]) * 3600 + Number(duration[2]) * 60 + Number(duration[3]),
    complaint: isGivenUp ? (late ?? complaint(withoutList(errorOutput), input) ?? 'no stream in it') : undefined,
  };
}

/** Returns the error output before the list of streams, which contains no errors. */
function withoutList(errorOutput: string): string {
  return errorOutput.split(/^Input #\d/m)[0] ?? '';
}

function readSound(line: string): ProbedSound {
  return {
    codec: / Audio: (\w+)/.exec(line)?.[1] ?? 'unknown',
    language: /Stream #[^ ]*?\((\w+)\)/.exec(line)?.[1] ?? 'und',
  };
}

/** Returns the presentation time of the first packet of the pictures, 90 kHz; otherwise why it cannot be told. */
export async function firstPictureAt({ path }: Pick<Ffmpeg, 'path'>, input: string): Promise<Ticks | string> {
  const parameters = ['-hide_banner', '-nostdin', '-loglevel', 'error', '-copyts', ...inputGuard(input), '-i', input];
  parameters.push('-map', '0:V:0', '-c', 'copy', '-frames:v', '1', '-f', 'framecrc', '-');
  const { stdout, stderr, late } = await askFfmpeg(path, parameters, { limits: { idleMs: PROBE_MS_MAX } });
  return readFirstPicture(stdout) ?? late ?? complaint(stderr, input) ?? 'it has none';
}

/** ffmpeg's number for a time that is not known (AV_NOPTS_VALUE). */
const NO_TIME = '-9223372036854775808';

/**
 * Parses ffmpeg's list of packets. The decode time stands in where the presentation time is unknown, as in AVI with
 * B-frames.
 *
 *     #tb 0: 1/90000
 *     0,     135000,     138600,     3600,    51230, 0x1f2e3d4c
 */
export function readFirstPicture(list: string): Ticks | undefined {
  const base = /^#tb 0: (\d+)\/(\d+)$/m.exec(list);
  const [, decoded, shown] = /^0, +(-?\d+), +(-?\d+),/m.exec(list) ?? [];
  const time = shown === NO_TIME ? decoded : shown;
  if (base === null || time === undefined || time === NO_TIME) return undefined;
  return ticks(Math.round((Number(time) * Number(base[1]) * CLOCK_RATE) / Number(base[2])));
}

/** @param output from this line on. */
function readVideo(line: string, output: string): ProbedVideo {
  const clock = figure(line, 'tbn');
  const rates = [figure(line, 'fps'), figure(line, 'tbr')];
  return {
    codec: / Video: (\w+)/.exec(line)?.[1] ?? 'unknown',
    // When ffmpeg knows no rate (mainly FLV), it prints the clock of the timestamps.
    framesPerSecond: rates.find((rate) => rate !== undefined && rate > 0 && (rate !== clock || rate < CLOCK_MIN)),
    size: readSize(line),
    rotation: readRotation(output),
  };
}

/** Parses `, 1280x720 [SAR 1:1 DAR 16:9],`. */
function readSize(line: string): ProbedVideo['size'] {
  const found = /, (\d+)x(\d+)(?=[ ,]|$)/.exec(line);
  return found === null ? undefined : { width: Number(found[1]), height: Number(found[2]) };
}

/** Parses `displaymatrix: rotation of -90.00 degrees`, which is anticlockwise, of the first stream in this output. */
function readRotation(output: string): Rotation {
  const [, own = ''] = output.split(/^\s*Stream #\d/m);
  const degrees = Number(/displaymatrix: rotation of (-?[\d.]+) degrees/.exec(own)?.[1] ?? 0);
  const quarters = ((Math.round(-degrees / 90) % 4) + 4) % 4;
  return ([0, 90, 180, 270] as const)[quarters]!;
}

/** Parses a figure such as `25 fps` or `1k tbn`; `undefined` when absent. */
function figure(line: string, unit: 'fps' | 'tbr' | 'tbn'): number | undefined {
  const found = new RegExp(`, ([\\d.]+)(k?) ${unit}`).exec(line);
  return found === null ? undefined : Number(found[1]) * (found[2] === 'k' ? 1000 : 1);
}
