import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { env } from 'node:process';
import type { Readable } from 'node:stream';
import { flashesAndBeeps, syncOf } from '../test/flash-and-beep.ts';
import { checkout, ROOT } from './checkout.ts';
import type { BenchPart, PartContext } from './part.ts';
import { line, sleep } from './programs.ts';
import { ERROR_COLUMNS, type ErrorSummary, errorCells, errorSummary } from './sync-errors.ts';
import { pageErrors } from './sync-page.ts';
import { textTable } from './table.ts';

const CLIP = 'samples/flash.mp4';
const COMMAND = 'bin/dropframe.js';
/** A clean path, and one with loss and jitter, of each direction. */
const LINKS: Readonly<Record<string, string | undefined>> = {
  clean: undefined,
  'loss=5% jitter=20ms': 'loss=5% delay=30ms jitter=20ms seed=1',
};
const SECONDS = 60;
const QUICK_SECONDS = 12;
/** Time in which players and browsers start; nothing is measured in it. */
const START_UP_MS = 5_000;

/** Errors of one place where pictures are shown and sound is played, milliseconds; positive: the sound is late. */
type Errors = readonly number[];
type Measure = (context: PartContext, sender: string, link: string | undefined, seconds: number) => Promise<Errors>;

/** The measurements, in the order of the table; `undefined` where a program is missing. */
const PLACES: Readonly<Record<string, Measure | undefined>> = {
  recording: recordingErrors,
  page: pageErrors,
  mpv: hasProgram('mpv') && hasProgram('Xvfb') ? mpvErrors : undefined,
};

interface Row extends ErrorSummary {
  readonly place: string;
  readonly link: string;
}

/** Sync error of shown picture and played sound, with a clip that has a flash and a beep each second. */
export const sync: BenchPart = async (context) => {
  const { programs, quick, progress } = context;
  checkout();
  const sending = programs.start(
    process.execPath,
    [COMMAND, 'send', CLIP, '--loop', '--no-rtsp', '--listen', '127.0.0.1:0'],
    { cwd: ROOT, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const [, port] = await line(sending.stderr!, /127\.0\.0\.1:(\d+)/, 'the sender');
  const rows: Row[] = [];
  try {
    for (const [place, measure] of Object.entries(PLACES)) {
      for (const [name, link] of Object.entries(LINKS)) {
        if (!measure) continue;
        progress(`sync: ${place}, ${name}`);
        const errors = await measure(context, `dropframe://127.0.0.1:${port}`, link, quick ? QUICK_SECONDS : SECONDS);
        rows.push({ place, link: name, ...errorSummary(errors) });
      }
    }
  } finally {
    await programs.stop(sending);
  }
  const table = textTable(
    ['place', 'path', ...ERROR_COLUMNS],
    rows.map((row) => [row.place, row.link, ...errorCells(row)]),
  );
  return { text: table, figures: rows };
};

const linkOptions = (link: string | undefined): readonly string[] => (link === undefined ? [] : ['--link', link]);

/** Records the stream, and decodes the recording. The clip's own errors are part of it. */
async function recordingErrors(
  { programs, folder, signal }: PartContext,
  sender: string,
  link: string | undefined,
  seconds: number,
): Promise<Errors> {
  const path = join(folder, 'sync.mp4');
  rmSync(path, { force: true });
  const options = ['receive', sender, '--play', 'none', '--output', path, ...linkOptions(link)];
  const receiving = programs.start(process.execPath, [COMMAND, ...options], { cwd: ROOT });
  await sleep(START_UP_MS + seconds * 1_000, signal);
  await programs.stop(receiving);
  return syncOf(flashesAndBeeps(path)).map(({ error }) => error);
}

/** Logs, for each picture that mpv shows, its difference to the sound, with the delay of the audio output. */
const SCRIPT = `
local file = io.open(os.getenv("DROPFRAME_SYNC_LOG"), "w")
mp.observe_property("time-pos", "number", function(_, at)
  local difference = mp.get_property_number("avsync")
  if at and difference then file:write(string.format("%f %f\\n", at, difference)) file:flush() end
end)
`;

/** Plays the stream in mpv under Xvfb, with an audio output that takes real time and is silent. */
async function mpvErrors(
  { programs, folder, signal }: PartContext,
  sender: string,
  link: string | undefined,
  seconds: number,
): Promise<Errors> {
  const place = join(folder, 'sync-mpv');
  mkdirSync(place, { recursive: true });
  const [script, log, wrapper] = [join(place, 'log.lua'), join(place, 'log.txt'), join(place, 'mpv')];
  rmSync(log, { force: true });
  writeFileSync(script, SCRIPT);
  writeFileSync(wrapper, `#!/bin/sh\nexec ${programPath('mpv')} --ao=null --script='${script}' "$@"\n`);
  chmodSync(wrapper, 0o755);
  const display = programs.start('Xvfb', ['-displayfd', '3', '-screen', '0', '640x480x24'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const [number] = await line(display.stdio[3] as Readable, /^\d+$/, 'Xvfb');
  const receiving = programs.start(
    process.execPath,
    [COMMAND, 'receive', sender, '--play', 'mpv', ...linkOptions(link)],
    {
      cwd: ROOT,
      env: { ...env, DISPLAY: `:${number}`, PATH: `${place}:${env.PATH}`, DROPFRAME_SYNC_LOG: log },
    },
  );
  try {
    await sleep(START_UP_MS, signal);
    const before = existsSync(log) ? readFileSync(log, 'utf8').length : 0;
    await sleep(seconds * 1_000, signal);
    const lines = readFileSync(log, 'utf8').slice(before).split('\n').slice(1, -1);
    // mpv's difference is positive when the sound is ahead of the picture.
    return lines.map((text) => -1_000 * Number(text.split(' ')[1]));
  } finally {
    await programs.stop(receiving);
    await programs.stop(display);
  }
}

/** Returns the path of a program; `undefined` where it is not installed. */
function programPath(name: string): string | undefined {
  return (env.PATH ?? '')
    .split(':')
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));
}

function hasProgram(name: string): boolean {
  return programPath(name) !== undefined;
}
