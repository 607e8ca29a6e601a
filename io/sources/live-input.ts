import { type ChildProcess, spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { stdin } from 'node:process';
import { PassThrough, type Readable } from 'node:stream';
import { atExit } from '../os/at-exit.ts';
import { Failure } from '../os/failure.ts';
import { within } from '../os/time-limit.ts';

/** Bytes of a live input. */
export interface LiveBytes {
  readonly source: Readable;
  readonly stop: () => void;
}

/** An input that produces pictures by itself, for ffmpeg. */
export interface LiveInput {
  /** In ffmpeg's syntax. */
  readonly url: string;
  /** Options in front of `-i`, beside the whitelists of its scheme. */
  readonly options: readonly string[];
  /** Opens input that is read into ffmpeg, such as a pipe; `undefined` when ffmpeg opens the input itself. */
  readonly bytes: (() => Promise<LiveBytes>) | undefined;
  /** False when nothing follows its end, as with stdin. */
  readonly returns: boolean;
}

/** Schemes of other senders, which may go and return. */
const NETWORK = /^(?:udp|rtp|srt|rtsps?|rtmps?|tcp):\/\//i;
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
  if (input === '-') return { url: 'pipe:0', options: ANALYSIS, bytes: standardInput, returns: false };
  const device = DEVICE.exec(input);
  const options = device && DEVICE_OPTIONS[device[1]!.toLowerCase()];
  if (device && options) return { url: device[2]!, options, bytes: undefined, returns: false };
  if (NETWORK.test(input)) {
    // Over UDP, cameras lose packets of key frames.
    const isRtsp = /^rtsps?:/i.test(input);
    return {
      url: input,
      options: [...ANALYSIS, ...(isRtsp ? ['-rtsp_flags', 'prefer_tcp'] : [])],
      bytes: undefined,
      returns: true,
    };
  }
  const facts = await stat(input).catch(() => undefined);
  return facts?.isFIFO() ? streamedInput(async () => reader(input)) : undefined;
}

/** Returns an input of bytes that come in this program, and that may end and return. */
export const streamedInput = (bytes: () => Promise<LiveBytes>): LiveInput => ({
  ...{ url: 'pipe:0', options: ANALYSIS, bytes, returns: true },
});

async function standardInput(): Promise<LiveBytes> {
  if (stdin.isTTY) throw new Failure('stdin is a terminal: pipe a video into it, or name a file', 2);
  return { source: stdin, stop: () => void stdin.destroy() };
}

/** Bytes, and time after the first of them, in which the beginning of a pipe is collected for its examination. */
const HEAD_BYTES = 1_000_000;
const HEAD_MS = 1_500;

/** A pipe that is examined by its beginning and then read as a whole. */
export class PipeFeed {
  /** The beginning. */
  readonly head: Uint8Array;
  /** Everything, the beginning included. */
  readonly stream: Readable;
  readonly #stop: () => void;

  /** Waits for the beginning. @throws {Failure} when there is none. */
  static async open(name: string, { source, stop }: LiveBytes): Promise<PipeFeed> {
    const head = await headOf(source);
    if (head.length > 0) return new PipeFeed(head, source, stop);
    stop();
    throw new Failure(`${name} ended before it began: nothing was written to it`);
  }

  private constructor(head: Uint8Array, source: Readable, stop: () => void) {
    this.head = head;
    const stream = new PassThrough();
    stream.on('error', () => {}); // ffmpeg is gone, which is reported otherwise
    stream.write(head);
    source.on('error', () => stream.end());
    if (source.readableEnded || source.destroyed) stream.end();
    else source.pipe(stream);
    this.stream = stream;
    this.#stop = stop;
  }

  close(): void {
    this.#stop();
    this.stream.destroy();
  }
}

/** Reads a named pipe in a process of its own: opening one waits for its writer, and cannot be given up in this process. */
function reader(path: string): LiveBytes {
  const child: ChildProcess = spawn('cat', ['--', path], { stdio: ['ignore', 'pipe', 'ignore'] });
  child.on('error', () => {}); // its output ends
  const forget = atExit(() => void child.kill('SIGKILL'));
  child.once('close', forget);
  return { source: child.stdout!, stop: () => void child.kill('SIGKILL') };
}

async function headOf(source: Readable): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let done: () => void = () => {};
  let begun: () => void = () => {};
  const [complete, first] = [
    new Promise<void>((resolve) => {
      done = resolve;
    }),
    new Promise<void>((resolve) => {
      begun = resolve;
    }),
  ];
  const take = (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    begun();
    if (bytes >= HEAD_BYTES) done();
  };
  const end = () => {
    begun();
    done();
  };
  source.on('data', take).once('end', end).once('error', end).once('close', end);
  await first;
  await within(HEAD_MS, complete);
  source.pause();
  source.off('data', take);
  return Buffer.concat(chunks);
}
