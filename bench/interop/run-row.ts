import { type ChildProcess, type ExecFileSyncOptions, execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { InteropRow, Measure } from './row.ts';

/** How a row went. */
export interface RowResult {
  readonly row: InteropRow;
  /** `undefined` for a row that was not run. */
  readonly isGood: boolean | undefined;
  readonly text: string;
  /** Version of the program, as it tells itself; `–` when it does not. */
  readonly version: string;
}

/** Time for a row, milliseconds: seven seconds of media, and busy machines. */
const ROW_MS_MAX = 45_000;
const STEP_MS = 1_000;
const READY_MS_MAX = 20_000;
const END_MS = 3_000;

/** Runs the programs of a row, and measures what arrived. @param dropframe command of this program. */
export async function runRow(
  row: InteropRow,
  values: {
    readonly port: number;
    readonly other: number;
    readonly folder: string;
    readonly dropframe: readonly string[];
  },
): Promise<RowResult> {
  const version = versionOf(row);
  if (row.notRun !== undefined) return { row, isGood: undefined, text: row.notRun, version: version ?? '–' };
  if (version === undefined) return { row, isGood: undefined, text: 'not run: it is not installed here', version: '–' };
  const running: { readonly child: ChildProcess; readonly ended: Promise<void>; readonly printed: { text: string } }[] =
    [];
  try {
    for (const { command, ready } of row.steps) {
      const [program = '', ...parameters] = wordsOf(command, values);
      const child = spawn(program, parameters, { stdio: ['ignore', 'pipe', 'pipe'] });
      const printed = { text: '' };
      for (const output of [child.stdout, child.stderr]) output.on('data', (chunk: Buffer) => (printed.text += chunk));
      const ended = new Promise<void>(
        (resolve) => void child.once('close', () => resolve()).once('error', () => resolve()),
      );
      running.push({ child, ended, printed });
      await within(ready ? READY_MS_MAX : STEP_MS, ready ? Promise.race([saying(child, ready), ended]) : ended);
    }
    await within(ROW_MS_MAX, running.at(-1)!.ended);
    // A receiver of ours ends by itself when its sender has.
    if (row.direction === 'to us') await within(ROW_MS_MAX / 3, running[0]!.ended);
  } finally {
    for (const { child } of running) child.kill('SIGINT');
    await within(END_MS, Promise.all(running.map(({ ended }) => ended)));
    for (const { child } of running) child.kill('SIGKILL');
  }
  return { row, version, ...measured(row.measure!, values.folder, running.at(-1)!.printed.text) };
}

/** Returns the words of a command, without the quotes around some of them. */
function wordsOf(command: string, values: Parameters<typeof runRow>[1]): string[] {
  const ours = values.dropframe.join(' ');
  return [
    ...command.replace(/(^|[ "])dropframe (?=send|receive|link)/g, `$1${ours} `).matchAll(/(?:"[^"]*"|[^\s"])+/g),
  ].map(([word]) =>
    word
      .replaceAll('"', '')
      .replace(/\{(port|other|folder)\}(?:\+(\d+))?/g, (_, name: 'port' | 'other' | 'folder', plus?: string) =>
        plus ? `${(values[name] as number) + Number(plus)}` : `${values[name]}`,
      ),
  );
}

function saying(child: ChildProcess, pattern: RegExp): Promise<void> {
  return new Promise((resolve) => {
    let text = '';
    for (const output of [child.stdout, child.stderr]) {
      output?.on('data', (chunk: Buffer) => {
        text += chunk;
        if (pattern.test(text)) resolve();
      });
    }
  });
}

async function within(ms: number, promise: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([promise, late]);
  clearTimeout(timer);
}

/** A file that is not there is said in the table. */
const QUIET: ExecFileSyncOptions = { stdio: ['ignore', 'pipe', 'ignore'] };

function measured(measure: Measure, folder: string, printed: string): Pick<RowResult, 'isGood' | 'text'> {
  if (measure.kind === 'output') {
    const found = measure.good.exec(printed);
    return { isGood: found !== null, text: found ? measure.text.replace('{}', found[1] ?? '') : measure.otherwise };
  }
  try {
    return measure.kind === 'file' ? measuredFile(measure, folder) : measuredSummary(measure, folder);
  } catch {
    return { isGood: false, text: 'nothing arrived' };
  }
}

function measuredFile({ path, pictures, sounds = 0 }: Measure & { kind: 'file' }, folder: string) {
  const count = (stream: string): number => {
    const parameters = [
      '-v',
      'error',
      '-select_streams',
      stream,
      '-count_packets',
      '-show_entries',
      'stream=nb_read_packets',
    ];
    return (
      Number.parseInt(`${execFileSync('ffprobe', [...parameters, '-of', 'csv=p=0', join(folder, path)], QUIET)}`, 10) ||
      0
    );
  };
  const [shown, heard] = [count('v:0'), count('a:0')];
  const text = `${shown} pictures${sounds > 0 ? ` and ${heard} units of sound` : ''}`;
  return { isGood: shown >= pictures && heard >= sounds, text };
}

function measuredSummary({ share, repaired }: Measure & { kind: 'summary' }, folder: string) {
  const { frames, packets } = JSON.parse(readFileSync(join(folder, 'summary.json'), 'utf8'));
  const whole = frames.onTime + frames.recovered;
  const text = `${whole} of ${frames.total} frames in time${repaired ? `, ${packets.repaired} packets repaired` : ''}`;
  return { isGood: frames.total > 0 && whole >= share * frames.total && (!repaired || packets.repaired > 0), text };
}

/** Ways in which programs tell their version. */
const VERSION_OPTIONS = ['--version', '-version'];

/** Returns the version of the row's program; `undefined` where it is not installed. */
function versionOf({ program, versionOf = program }: InteropRow): string | undefined {
  const [name = '', ...before] = versionOf.split(' ');
  for (const option of VERSION_OPTIONS) {
    try {
      const output = execFileSync(name, [...before, option], { stdio: ['ignore', 'pipe', 'pipe'], timeout: 20_000 });
      return /\d+\.\d+\.\d+/.exec(`${output}`)?.[0] ?? '–';
    } catch (error) {
      const { code, stderr = '', stdout = '' } = error as { code?: string; stderr?: Buffer; stdout?: Buffer };
      if (code === 'ENOENT') return undefined;
      const found = /\d+\.\d+\.\d+/.exec(`${stdout}${stderr}`)?.[0];
      if (found) return found;
    }
  }
  return '–';
}
