import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { atExit } from '../os/at-exit.ts';
import { lateText, type WorkLimits, whileWorking, within } from '../os/time-limit.ts';

/** Output of a short run of ffmpeg. */
export interface FfmpegAnswer {
  readonly stdout: string;
  readonly stderr: string;
  /** True when it ended with code 0. */
  readonly succeeded: boolean;
  /** Cause, when it was stopped because it took too long. */
  readonly late: string | undefined;
}

export interface FfmpegQuestion {
  readonly limits: WorkLimits;
  /** Bytes for its standard input. */
  readonly input?: Uint8Array | undefined;
}

const LAST_WORDS_MS = 1_000;
const OUTPUT_BYTES_MAX = 4 * 1024 * 1024;

/** Runs ffmpeg for an answer, for as long as it works within the limits. Never rejects. */
export async function askFfmpeg(
  path: string,
  parameters: readonly string[],
  { limits, input }: FfmpegQuestion,
): Promise<FfmpegAnswer> {
  let finish: (answer: Omit<FfmpegAnswer, 'late'>) => void;
  const ended = new Promise<Omit<FfmpegAnswer, 'late'>>((resolve) => {
    finish = resolve;
  });
  const child = execFile(path, parameters, { maxBuffer: OUTPUT_BYTES_MAX }, (error, stdout, stderr) =>
    finish({ stdout, stderr, succeeded: error === null }),
  );
  const kill = () => void child.kill('SIGKILL');
  const forget = atExit(kill);
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  const outcome = await whileWorking(limits, () => workOf(child.pid), ended);
  if ('value' in outcome) {
    forget();
    return { ...outcome.value, late: undefined };
  }
  kill();
  // Programs that it has started may keep its pipes open.
  const last = await within(LAST_WORDS_MS, ended);
  forget();
  return { stdout: '', stderr: '', ...last?.value, succeeded: false, late: lateText(outcome.lateMs) };
}

/** Work that a process has done: its CPU time and the bytes that it has read, on Linux; 0 where neither is known. */
function workOf(pid: number | undefined): number {
  if (pid === undefined) return 0;
  try {
    // The name in parentheses may hold spaces; user and system time are the 12th and 13th field after it.
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)!.split(' ');
    const read = /^rchar: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, 'latin1'))?.[1];
    return Number(fields[11]) + Number(fields[12]) + Number(read ?? 0);
  } catch {
    return 0;
  }
}
