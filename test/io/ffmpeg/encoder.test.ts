import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished } from 'vitest';
import { Encoder, type EncoderOptions } from '../../../io/ffmpeg/encoder.ts';
import { locateFfmpeg } from '../../../io/ffmpeg/ffmpeg-locator.ts';
import type { FragmentedMp4Event } from '../../../io/mp4/fragmented-mp4-reader.ts';
import { optional } from '../../optional.ts';
import { all, SAMPLES, temporaryFolder, withFfmpeg } from '../sources/media.ts';

const MP4 = join(SAMPLES, 'counter.mp4');
const ENDLESS = { width: 320, height: 240, framesPerSecond: 30, durationSeconds: undefined };
const withProcesses = optional('ffmpeg and /proc', process.platform === 'linux' && isThere('ffmpeg'));

async function start(options: Partial<EncoderOptions>): Promise<Encoder> {
  const ffmpeg = await locateFfmpeg({ explicit: 'ffmpeg' });
  const defaults = {
    input: MP4,
    name: 'clip',
    mode: 'x264',
    bitrate: 1_000_000,
    gop: 30,
    framesPerSecond: 30,
  } as const;
  const encoder = new Encoder({ ffmpeg, ...defaults, ...options });
  onTestFinished(() => encoder.close());
  return encoder;
}

const times = (events: readonly FragmentedMp4Event[]): number[] =>
  events.flatMap((event) => (event.kind === 'sample' ? [event.timestamp] : []));

withFfmpeg('keeps a variable frame rate to the tick, without duplicated or dropped frames', async () => {
  const folder = temporaryFolder();
  const source = join(folder, 'variable.mkv');
  // Ten frames with intervals that fit no frame rate.
  const pick = "select='not(mod(n*n\\,7))',settb=1/1000,setpts=PTS+mod(N\\,3)*7";
  const command = ['-nostdin', '-v', 'error', '-i', MP4, '-vf', pick, '-fps_mode', 'passthrough', '-frames:v', '40'];
  execFileSync('ffmpeg', [...command, '-enc_time_base', '1:1000', '-c:v', 'ffv1', source]);
  const probe = ['-v', 'error', '-show_entries', 'packet=pts', '-of', 'csv=p=0', source];
  const shown = execFileSync('ffprobe', probe)
    .toString()
    .trim()
    .split(/\s+/)
    .map((time) => Number.parseInt(time, 10) * 90);
  expect(new Set(shown.slice(1).map((time, index) => time - (shown[index] as number))).size).toBeGreaterThan(2);
  const encoded = times(await all((await start({ input: source })).events()));
  expect(encoded.map((time) => time - (encoded[0] as number))).toEqual(
    shown.map((time) => time - (shown[0] as number)),
  );
});

withFfmpeg('keeps the pictures and their order when copying', async () => {
  const events = await all((await start({ mode: 'copy' })).events());
  const shown = times(events);
  expect(shown).toHaveLength(360);
  expect(shown).not.toEqual([...shown].sort((a, b) => a - b));
});

withFfmpeg('fails with the cause for an input that ffmpeg cannot read, and ends the stream', async () => {
  const encoder = await start({ input: join(SAMPLES, 'make.js'), name: 'make.js' });
  await expect(all(encoder.events())).rejects.toMatchObject({
    exitCode: 1,
    message: 'make.js: ffmpeg failed: Invalid data found when processing input',
  });
});

withFfmpeg('explains how to get libx264 when it is missing', async () => {
  const ffmpeg = { ...(await locateFfmpeg({ explicit: 'ffmpeg' })), libx264: false };
  await expect(start({ ffmpeg })).rejects.toMatchObject({
    exitCode: 3,
    message: expect.stringContaining('FFMPEG_PATH='),
  });
});

withProcesses('stops ffmpeg when closed before its start, while running and while blocked', async () => {
  const early = await start({ input: ENDLESS });
  await early.close();
  const late = await start({ input: ENDLESS });
  const events = late.events();
  await events.next();
  await until(() => ffmpegs().length === 1);
  await late.close();
  expect(await all(events)).toEqual([]);
  await until(() => ffmpegs().length === 0);
});

withProcesses('stops ffmpeg when the loop is left', async () => {
  for await (const event of (await start({ input: ENDLESS })).events()) if (event.kind === 'sample') break;
  await until(() => ffmpegs().length === 0);
});

withProcesses('blocks ffmpeg while nobody reads', async () => {
  const encoder = await start({ input: ENDLESS });
  const events = encoder.events();
  await events.next();
  const pid = ffmpegs()[0] as number;
  const written = (): number => Number(/wchar: (\d+)/.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1]);
  let before = -1;
  await until(async () => {
    const now = written();
    const isStill = now === before;
    before = now;
    await sleep(200);
    return isStill;
  });
  // The queue, the pipe, and one chunk at each end.
  expect(written()).toBeLessThan(1024 * 1024);
  for (let index = 0; index < 2_000; index += 1) await events.next();
  expect(written()).toBeGreaterThan(before);
  await encoder.close();
});

withProcesses('kills ffmpeg when the process crashes', async () => {
  const module = new URL('../../../io/ffmpeg/encoder.ts', import.meta.url).href;
  const ffmpeg = JSON.stringify(await locateFfmpeg({ explicit: 'ffmpeg' }));
  const options = `{ ffmpeg: ${ffmpeg}, input: ${JSON.stringify({ ...ENDLESS })}, name: 'x', mode: 'x264', bitrate: 1e6, gop: 30, framesPerSecond: 30 }`;
  const program = `const { Encoder } = await import(${JSON.stringify(module)}); const events = new Encoder(${options}).events(); await events.next(); console.log('running'); for await (const event of events) {}`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
    cwd: join(import.meta.dirname, '../../..'),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const orphans = ffmpegs(child.pid);
  expect(orphans).toHaveLength(1);
  child.kill('SIGKILL');
  await until(() => orphans.every((pid) => !isRunning(pid)));
});

function isThere(program: string): boolean {
  try {
    execFileSync(program, ['-version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Returns the ffmpeg processes started by a process. */
function ffmpegs(parent = process.pid): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const match = /^\d+ \((.*)\) (\S) (\d+)/.exec(status(pid));
      return match !== null && match[1] === 'ffmpeg' && match[2] !== 'Z' && Number(match[3]) === parent;
    });
}

function isRunning(pid: number): boolean {
  const state = /^\d+ \(.*\) (\S)/.exec(status(pid))?.[1];
  return state !== undefined && state !== 'Z' && statSync(`/proc/${pid}`).isDirectory();
}

function status(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return '';
  }
}

/** Waits until a condition holds; the time limit of the test is the bound. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(20);
}
