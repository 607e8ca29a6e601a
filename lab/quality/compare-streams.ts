import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Ffmpeg } from '../../io/ffmpeg/ffmpeg-locator.ts';
import { ffmpegFilters, runFfmpeg } from '../../io/ffmpeg/ffmpeg-run.ts';
import { inputGuard } from '../../io/ffmpeg/input-guard.ts';
import { causeOf, Failure } from '../../io/os/failure.ts';
import { makeDirectory } from '../store/atomic-file.ts';
import { NOTHING, type SlotPlan } from './slot-plan.ts';
import { type PictureFormat, SLOT_RATE, type SlotStream } from './slot-stream.ts';

/** Scores of one slot relative to the source, from ffmpeg. */
export interface SlotScore {
  /** Luma, dB; `Infinity` when identical. */
  readonly psnr: number;
  /** Luma, at most 1. */
  readonly ssim: number;
  /** 0 … 100; `null` when this ffmpeg lacks VMAF. */
  readonly vmaf: number | null;
}

/** An ffmpeg that supports the comparison, with its filters. */
export interface Comparer {
  readonly ffmpeg: Ffmpeg;
  readonly filters: ReadonlySet<string>;
}

/** Newest required filter: `tpad`, in ffmpeg 4.2 of 2019. */
const FILTERS_NEEDED = ['psnr', 'ssim', 'fps', 'tpad', 'trim', 'drawbox'];

/** @throws {Failure} when this ffmpeg is too old. */
export async function openComparer(ffmpeg: Ffmpeg): Promise<Comparer> {
  const filters = await ffmpegFilters(ffmpeg);
  const absent = FILTERS_NEEDED.find((name) => !filters.has(name));
  if (absent !== undefined) {
    throw new Failure(
      `${ffmpeg.path} ${ffmpeg.version} has no filter ${absent}; --quality needs ffmpeg 4.2 or newer`,
      3,
    );
  }
  return { ffmpeg, filters };
}

/** A stream as displayed; `stream` is `undefined` when nothing arrived. */
export interface ShownStream {
  readonly stream: SlotStream | undefined;
  readonly plan: Pick<SlotPlan, 'onScreen'>;
}

/**
 * Decodes two streams of the same source and compares them slot by slot.
 *
 * @param options.folder folder for temporary files. @param options.name name of the task in messages.
 * @throws {Failure} when ffmpeg fails or does not score every slot.
 */
export async function compareStreams(
  { ffmpeg, filters }: Comparer,
  streams: { readonly shown: ShownStream; readonly source: ShownStream; readonly format: PictureFormat },
  options: { readonly folder: string; readonly name: string; readonly signal?: AbortSignal },
): Promise<SlotScore[]> {
  const { folder, name } = options;
  const slots = streams.source.plan.onScreen.length;
  const hasVmaf = filters.has('libvmaf');
  await makeDirectory(folder);
  try {
    const inputs = [
      ...(await streamInput(streams.shown, streams.format, join(folder, 'shown.mp4'))),
      ...(await streamInput(streams.source, streams.format, join(folder, 'source.mp4'))),
    ];
    const copies = hasVmaf ? 3 : 2;
    const graph = [
      `[0:v]${slotFilter(streams.shown)}[shown]`,
      `[1:v]${slotFilter(streams.source)},split=${copies}[s1][s2]${hasVmaf ? '[s3]' : ''}`,
      '[shown][s1]psnr=stats_file=psnr.log[after1]',
      '[after1][s2]ssim=stats_file=ssim.log[after2]',
      ...(hasVmaf ? ['[after2][s3]libvmaf=log_path=vmaf.json:log_fmt=json[after3]'] : []),
    ].join(';');
    const output = ['-filter_complex', graph, '-map', `[after${copies}]`, '-f', 'null', '-'];
    // Accept any number of damaged pictures; they are part of the comparison.
    await runFfmpeg(ffmpeg, ['-max_error_rate', '1', ...inputs, ...output], { ...options, directory: folder });
    const psnr = readStatistics(await readFile(join(folder, 'psnr.log'), 'latin1'), 'psnr_y');
    const ssim = readStatistics(await readFile(join(folder, 'ssim.log'), 'latin1'), 'Y');
    const vmaf = hasVmaf ? readVmaf(await readFile(join(folder, 'vmaf.json'), 'utf8')) : undefined;
    for (const read of [psnr, ssim, vmaf ?? psnr]) {
      if (read.length !== slots) {
        throw new Failure(
          `${name}: ffmpeg compared ${read.length} of ${slots} pictures; possible causes: the picture size changes, or the disk is full`,
        );
      }
    }
    return psnr.map((value, slot) => ({ psnr: value, ssim: ssim[slot]!, vmaf: vmaf?.[slot] ?? null }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Writes the stream to a file, and returns the ffmpeg options that read it. */
export async function streamInput(
  { stream }: ShownStream,
  { width, height }: PictureFormat,
  path: string,
): Promise<string[]> {
  if (stream === undefined) return ['-f', 'lavfi', '-i', `color=black:size=${width}x${height}:rate=${SLOT_RATE}`];
  await writeFile(path, stream.file).catch((error) => {
    throw new Failure(`cannot write ${path}: ${causeOf(error)}; finished results are kept`, 1, { cause: error });
  });
  // One thread, because concealment of damaged pictures must not depend on thread timing. Strict, so that the decoder
  // assumes the maximum reordering when the stream does not state it.
  return ['-copyts', '-threads', '1', '-strict', 'strict', ...inputGuard(path), '-f', 'mp4', '-i', path];
}

/**
 * Filter from a decoded stream to one picture per slot: pictures are repeated, and slots before the first are black.
 */
export function slotFilter({ stream, plan: { onScreen } }: ShownStream): string {
  const slots = onScreen.length;
  const blank = onScreen.findIndex((picture) => picture !== NOTHING);
  const black = `drawbox=w=iw:h=ih:color=black:t=fill:enable='lt(n,${blank < 0 ? slots : blank})'`;
  return [
    ...['settb=1/90000', `setpts=PTS+${stream?.origin ?? 0}`, `fps=${SLOT_RATE}:start_time=0:round=up`],
    ...['tpad=stop=-1:stop_mode=clone', `trim=end_frame=${slots}`, 'setpts=N', 'setsar=1'],
    ...(blank === 0 ? [] : [black]),
  ].join(',');
}

/** Parses lines such as `n:1 mse_avg:0.00 … psnr_y:inf psnr_u:inf`. */
export function readStatistics(text: string, name: string): number[] {
  const values: number[] = [];
  for (const line of text.split('\n')) {
    const value = line.split(' ').find((field) => field.startsWith(`${name}:`));
    if (value === undefined) continue;
    const number = value.slice(name.length + 1);
    values.push(number === 'inf' ? Number.POSITIVE_INFINITY : Number(number));
  }
  return values;
}

const vmafLog = z.looseObject({
  frames: z.array(z.looseObject({ metrics: z.looseObject({ vmaf: z.number() }) })),
});

/** Parses libvmaf's JSON log. */
export const readVmaf = (text: string): number[] =>
  vmafLog.parse(JSON.parse(text)).frames.map(({ metrics }) => metrics.vmaf);
