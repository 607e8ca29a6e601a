import { execFile } from 'node:child_process';
import { atExit } from '../os/at-exit.ts';
import { Failure } from '../os/failure.ts';
import { complaint } from './encoder.ts';
import type { Ffmpeg } from './ffmpeg-locator.ts';

/** Limit of the error output, bytes: ffmpeg may print a lot about damaged pictures. */
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Runs ffmpeg over files until it exits.
 * @param options.directory working directory: relative names need no quoting in a filter.
 * @param options.name name of the task in error messages.
 * @param options.signal aborts the run; the promise then rejects.
 * @throws {Failure} with the cause that ffmpeg printed.
 */
export function runFfmpeg(
  ffmpeg: Pick<Ffmpeg, 'path'>,
  parameters: readonly string[],
  options: { readonly directory?: string; readonly name: string; readonly signal?: AbortSignal },
): Promise<string> {
  const { directory, name, signal } = options;
  const all = ['-hide_banner', '-nostdin', '-loglevel', 'error', ...parameters];
  return new Promise((resolve, reject) => {
    const settings = { cwd: directory, signal, killSignal: 'SIGKILL', maxBuffer: OUTPUT_BYTES_MAX } as const;
    const child = execFile(ffmpeg.path, all, settings, (error, stdout, stderr) => {
      isDone();
      if (error === null) return resolve(stdout);
      const why = complaint(stderr, '') ?? (child.signalCode ? `killed by ${child.signalCode}` : error.message);
      reject(new Failure(`${name}: ffmpeg failed: ${why}`, 1, { cause: error }));
    });
    const isDone = atExit(() => void child.kill('SIGKILL'));
    child.stdin?.on('error', () => {});
    child.stdin?.end();
  });
}

/** Returns the names of the filters that this ffmpeg has. */
export async function ffmpegFilters(ffmpeg: Pick<Ffmpeg, 'path'>): Promise<ReadonlySet<string>> {
  const list = await runFfmpeg(ffmpeg, ['-filters'], { name: 'asking ffmpeg for its filters' });
  return new Set([...list.matchAll(/^ [A-Z.|]+ +(\w+) +\S+->\S+/gm)].map(([, name]) => name!));
}
