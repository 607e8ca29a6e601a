import { type ChildProcess, spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { stdin } from 'node:process';
import type { Ffmpeg } from '../ffmpeg/ffmpeg-locator.ts';
import { atExit } from '../os/at-exit.ts';
import { Failure } from '../os/failure.ts';
import type { LiveBytes } from './live-bytes.ts';

/** An input that produces pictures by itself, for ffmpeg. */
export interface LiveInput {
  /** In ffmpeg's syntax. */
  readonly url: string;
  /** Options in front of `-i`, beside the whitelists of its scheme. */
  readonly options: readonly string[];
  /** Opens input that is read into ffmpeg, such as a pipe; `undefined` when ffmpeg opens the input itself. */
  readonly bytes: ((ffmpeg: Pick<Ffmpeg, 'path'>) => Promise<LiveBytes>) | undefined;
  /** False when nothing follows its end, as with stdin. */
  readonly returns: boolean;
  /** True when silence is that of another sender that has gone; false for a pipe, which may be silent for ever. */
  readonly hasSender: boolean;
  /** True when the input waits for another sender to connect, however long. */
  readonly listens?: boolean;
}

/** Schemes of other senders, which may go and return. One ffmpeg hands on their bytes, so that each connection is opened once. */
const NETWORK = /^(?:udp|rtp|srt|rtsps?|rtmps?|tcp):\/\//i;
/** A URL whose other end connects, once: `srt://:9000?mode=listener`, `tcp://127.0.0.1:9000?listen`. */
const LISTENER = /^(?:srt:.*[?&]mode=(?:listener|server)|tcp:.*[?&]listen(?:=[12])?(?:&|$))/i;
/** Devices: `v4l2:/dev/video0`, `x11grab::0`, `lavfi:testsrc2`. */
const DEVICE = /^(v4l2|x11grab|lavfi):(.+)$/i;
const DEVICE_OPTIONS: Readonly<Record<string, readonly string[]>> = {
  v4l2: ['-f', 'v4l2'],
  x11grab: ['-framerate', '30', '-f', 'x11grab'],
  // A graph draws as fast as it is read: ffmpeg gives it a clock.
  lavfi: ['-re', '-f', 'lavfi'],
};
/** Analysis of a live input, microseconds: ffmpeg's 5 s would be the age of its first picture. */
const ANALYSIS = ['-analyzeduration', '2000000'];
/** Returns how a live input is read; `undefined` for files and what is read like them. */
export async function liveInputOf(input: string): Promise<LiveInput | undefined> {
  if (input === '-')
    return { url: 'pipe:0', options: ANALYSIS, bytes: standardInput, returns: false, hasSender: false };
  const device = DEVICE.exec(input);
  const options = device && DEVICE_OPTIONS[device[1]!.toLowerCase()];
  if (device && options) return { url: device[2]!, options, bytes: undefined, returns: false, hasSender: false };
  if (NETWORK.test(input)) {
    const bytes = async (ffmpeg: Pick<Ffmpeg, 'path'>) => (await import('./live-relay.ts')).relayed(input, ffmpeg);
    return { ...streamedInput(bytes), hasSender: true, listens: LISTENER.test(input) };
  }
  const facts = await stat(input).catch(() => undefined);
  return facts?.isFIFO() ? streamedInput(async () => reader(input)) : undefined;
}

/** Returns an input of bytes that come in this program, and that may end and return. */
export const streamedInput = (bytes: NonNullable<LiveInput['bytes']>): LiveInput => ({
  ...{ url: 'pipe:0', options: ANALYSIS, bytes, returns: true, hasSender: false },
});

async function standardInput(): Promise<LiveBytes> {
  if (stdin.isTTY) throw new Failure('stdin is a terminal: pipe a video into it, or name a file', 2);
  return { source: stdin, stop: () => void stdin.destroy() };
}

/** Reads a named pipe in a process of its own: opening one waits for its writer, and cannot be given up in this process. */
function reader(path: string): LiveBytes {
  const child: ChildProcess = spawn('cat', ['--', path], { stdio: ['ignore', 'pipe', 'ignore'] });
  child.on('error', () => {}); // its output ends
  const forget = atExit(() => void child.kill('SIGKILL'));
  child.once('close', forget);
  return { source: child.stdout!, stop: () => void child.kill('SIGKILL') };
}
