import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { atExit } from '../os/at-exit.ts';
import { Failure } from '../os/failure.ts';
import { within } from '../os/time-limit.ts';
import type { EncodedPicture, EncoderOrder, FromEncoder, OpenedInput, ToEncoder } from './encoder-messages.ts';

/** Time limit for the start, with the examination of the input, milliseconds: a camera or a server may be slow. */
const OPEN_MS_MAX = 30_000;
/** The same for a process that takes over from another: the stream waits for it. */
const RESUME_MS_MAX = 3_000;
/** Time limit for the first picture and for each other one, milliseconds: an encoder that takes longer has stalled. */
const FIRST_PICTURE_MS_MAX = 5_000;
const PICTURE_MS_MAX = 500;
/** The same in mean times of a picture: on a busy machine, or with large pictures, everything takes longer. */
const PICTURE_TIMES_MAX = 10;
const WEIGHT = 0.1;

/** The encoder process has ended, or gives no answer. */
export class EncoderLost extends Error {}

export interface EncoderHostOptions {
  /** Time limit for a picture, milliseconds. Default 500, or ten times the mean. */
  readonly pictureMsMax?: number;
  /** File to run as the encoder process; for tests. */
  readonly entry?: string;
}

/** Runs an encoder process and requests pictures from it, one at a time. */
export class EncoderHost {
  readonly #child: ChildProcess;
  readonly #options: EncoderHostOptions;
  readonly #forget: () => void;
  #opened: OpenedInput | undefined;
  #answer: ((message: FromEncoder | Error) => void) | undefined;
  #lost: EncoderLost | undefined;
  #pictures = 0;
  #meanMs = 0;

  /**
   * Starts a process and opens the input.
   * @throws {Failure} when the input cannot be opened.
   * @throws {EncoderLost} when the process ends or gives no answer.
   */
  static async start(order: EncoderOrder, bitrate: number, options: EncoderHostOptions = {}): Promise<EncoderHost> {
    const host = new EncoderHost(options);
    await host.open(order, bitrate);
    return host;
  }

  /** Starts a process, which loads its library. `open` must be called before the first picture is asked for. */
  constructor(options: EncoderHostOptions = {}) {
    this.#options = options;
    const { entry = fileURLToPath(import.meta.url).replace(/encoder-host\.(\w+)$/, 'encoder-process.$1') } = options;
    // Node 20 runs sources of TypeScript only with tsx.
    const tsx = entry.endsWith('.ts') ? createRequire(import.meta.url).resolve('tsx') : undefined;
    this.#child = fork(entry, [], {
      serialization: 'advanced',
      execArgv: tsx === undefined ? [] : ['--import', pathToFileURL(tsx).href],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    this.#forget = atExit(() => void this.#child.kill('SIGKILL'));
    this.#child.on('message', (message: FromEncoder) => this.#settle(message));
    this.#child.on('error', (error) => this.#lose(error.message));
    this.#child.on('exit', (code, signal) => {
      this.#forget();
      this.#lose(signal === null ? `it ended with code ${code}` : `it was ended by ${signal}`);
    });
  }

  /**
   * Opens the input; on failure the process is closed.
   * @throws {Failure} when the input cannot be opened.
   * @throws {EncoderLost} when the process has ended, or gives no answer.
   */
  async open(order: EncoderOrder, bitrate: number): Promise<void> {
    try {
      const limit = order.resume ? Math.max(RESUME_MS_MAX, this.#options.pictureMsMax ?? 0) : OPEN_MS_MAX;
      const opened = await this.#ask({ kind: 'open', order, bitrate }, limit);
      if (opened.kind !== 'opened') throw new EncoderLost('it sent an unexpected answer');
      this.#opened = opened;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** True when the process has ended or was closed. */
  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  get opened(): OpenedInput {
    return this.#opened!;
  }

  /** Process number, for tests; `undefined` when the process could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /**
   * Encodes the next picture; `undefined` at the end of the input, after which it begins again.
   * @param notBefore media time of the first picture that is not left out, 90 kHz.
   * @throws {Failure} when the input cannot be read any further.
   * @throws {EncoderLost} when the process has ended or stalled. It is then closed.
   */
  async next(bitrate: number, keyFrame: boolean, notBefore?: number): Promise<EncodedPicture | undefined> {
    const { pictureMsMax = Math.max(PICTURE_MS_MAX, this.#meanMs * PICTURE_TIMES_MAX) } = this.#options;
    const limit = this.#pictures++ === 0 ? Math.max(FIRST_PICTURE_MS_MAX, pictureMsMax) : pictureMsMax;
    const from = performance.now();
    const answer = await this.#ask({ kind: 'next', bitrate, keyFrame, notBefore }, limit);
    const taken = performance.now() - from;
    this.#meanMs += (taken - this.#meanMs) * (this.#meanMs === 0 ? 1 : WEIGHT);
    if (answer.kind === 'end') {
      this.#pictures = 0;
      return undefined;
    }
    if (answer.kind !== 'picture') throw new EncoderLost('it sent an unexpected answer');
    return answer;
  }

  /** Ends the process. A pending `next` rejects. */
  close(): void {
    this.#lose('it was closed');
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL');
    this.#forget();
  }

  async #ask(message: ToEncoder, msMax: number): Promise<FromEncoder> {
    if (this.#lost) throw this.#lost;
    const answered = new Promise<FromEncoder | Error>((resolve) => {
      this.#answer = resolve;
    });
    this.#child.send(message, (error) => {
      if (error) this.#lose(error.message);
    });
    const outcome = await within(msMax, answered);
    this.#answer = undefined;
    if (outcome === undefined) {
      this.#lose(`timeout: no answer within ${Math.round(msMax)} ms`);
      this.close();
      throw this.#lost!;
    }
    if (outcome.value instanceof Error) throw outcome.value;
    if (outcome.value.kind === 'failed') throw new Failure(outcome.value.message);
    return outcome.value;
  }

  #settle(message: FromEncoder | Error): void {
    this.#answer?.(message);
  }

  #lose(cause: string): void {
    this.#lost ??= new EncoderLost(cause);
    this.#settle(this.#lost);
  }
}
