import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { Readable, type Writable } from 'node:stream';
import type { ReadableStream as WebStream } from 'node:stream/web';
import { Input, OGG, ReadableStreamSource } from 'mediabunny';
import { atExit } from '../os/at-exit.ts';
import { complaint } from './encoder.ts';
import type { Ffmpeg } from './ffmpeg-locator.ts';

/** Bit rate of stereo, bits per second, at which Opus is transparent for most listeners. */
const BITRATE_DEFAULT = 128_000;

export interface OpusRunOptions {
  /** The input and its options, and those of the output that depend on it. */
  readonly parameters: readonly string[];
  /** Name of the input in ffmpeg's messages; it is left out of `complaint`. */
  readonly name: string;
  /** Bits per second. */
  readonly bitrate?: number | undefined;
}

/** One run of ffmpeg that encodes sound as Opus. In Ogg, times are exact to the sample; Matroska rounds them. */
export class OpusRun {
  readonly ogg: Input;
  /** Resolves with the exit code; `null` after a signal. */
  readonly ended: Promise<number | null>;
  readonly #name: string;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  #words = '';

  constructor(ffmpeg: Ffmpeg, { parameters, name, bitrate = BITRATE_DEFAULT }: OpusRunOptions) {
    this.#name = name;
    const child = spawn(
      ffmpeg.path,
      [
        ...['-nostdin', '-hide_banner', '-loglevel', 'error', ...parameters],
        ...['-c:a', 'libopus', '-b:a', `${bitrate}`, '-ac', '2', '-frame_duration', '20'],
        ...['-page_duration', '20000', '-flush_packets', '1', '-f', 'ogg', 'pipe:1'],
      ],
      { stdio: ['pipe', 'pipe', 'pipe'] },
    );
    this.#child = child;
    child.on('error', ({ message }) => this.#hear(message)); // 'close' follows
    child.stdin.on('error', () => {}); // here as well
    child.stderr.setEncoding('utf8').on('data', (text: string) => this.#hear(text));
    const forget = atExit(() => void child.kill('SIGKILL'));
    this.ended = new Promise((resolve) => child.once('close', resolve));
    void this.ended.then(forget);
    const stream = Readable.toWeb(child.stdout) as WebStream<Uint8Array>;
    const source = new ReadableStreamSource(stream as unknown as ReadableStream<Uint8Array>);
    this.ogg = new Input({ source, formats: [OGG] });
  }

  /** Takes the input when that is `pipe:0`. */
  get stdin(): Writable {
    return this.#child.stdin;
  }

  /** Cause that ffmpeg has given so far. */
  complaint(): string | undefined {
    return complaint(this.#words, this.#name);
  }

  close(): void {
    this.#child.kill('SIGKILL');
    this.ogg.dispose();
  }

  #hear(text: string): void {
    this.#words = (this.#words + text).slice(-4_000);
  }
}
