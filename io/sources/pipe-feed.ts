import { PassThrough, type Readable } from 'node:stream';
import { Failure } from '../os/failure.ts';
import { within } from '../os/time-limit.ts';
import type { LiveBytes } from './live-bytes.ts';

/** Bytes, and time after the first of them, in which the beginning of a pipe is collected for its examination. */
const HEAD_BYTES = 1_000_000;
const HEAD_MS = 1_500;
/** Time in which more is collected where the beginning held no key frame, milliseconds. */
const MORE_MS = 1_000;

/** Readable that is examined by its beginning and then read as a whole. */
export class PipeFeed {
  readonly #name: string;
  readonly #bytes: LiveBytes;
  /** Longest wait for the first bytes, milliseconds. */
  readonly #silenceMsMax: number;
  #head: Uint8Array = new Uint8Array(0);
  #stream: PassThrough | undefined;

  /** Waits for the beginning. @throws {Failure} when there is none. */
  static async open(name: string, bytes: LiveBytes, silenceMsMax: number): Promise<PipeFeed> {
    const feed = new PipeFeed(name, bytes, silenceMsMax);
    try {
      feed.#head = await feed.#collect(HEAD_MS);
      if (feed.#head.length > 0) return feed;
      const cause = await bytes.cause?.();
      throw new Failure(
        cause === undefined
          ? `${name} ended before it began: nothing was written to it`
          : `${name} cannot be read: ${cause}`,
      );
    } catch (error) {
      feed.close();
      throw error;
    }
  }

  private constructor(name: string, bytes: LiveBytes, silenceMsMax: number) {
    this.#name = name;
    this.#bytes = bytes;
    this.#silenceMsMax = silenceMsMax;
    bytes.source.on('error', () => {}); // it ends
  }

  /** The beginning. */
  get head(): Uint8Array {
    return this.#head;
  }

  /** True when the head is all that there is. */
  get hasEnded(): boolean {
    const { source } = this.#bytes;
    return source.readableEnded || source.destroyed;
  }

  /** Everything from the head on, the head included. */
  get stream(): Readable {
    this.#stream ??= this.#joined();
    return this.#stream;
  }

  /** Discards the first half of the head and appends what comes. @throws {Failure} when nothing comes. */
  async advance(): Promise<void> {
    const rest = this.#head.subarray(this.#head.length / 2);
    this.#head = Buffer.concat([rest, await this.#collect(MORE_MS)]);
  }

  close(): void {
    this.#bytes.stop();
    this.#stream?.destroy();
  }

  #joined(): PassThrough {
    const { source } = this.#bytes;
    const stream = new PassThrough();
    stream.on('error', () => {}); // ffmpeg is gone, which is reported otherwise
    stream.write(this.#head);
    source.on('error', () => stream.end());
    if (this.hasEnded) stream.end();
    else source.pipe(stream);
    return stream;
  }

  /** Returns what comes within a time from its first byte on; empty at the end. */
  async #collect(ms: number): Promise<Uint8Array> {
    const { source } = this.#bytes;
    if (this.hasEnded) return new Uint8Array(0);
    const chunks: Buffer[] = [];
    let bytes = 0;
    let begin: () => void = () => {};
    let finish: () => void = () => {};
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const complete = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const take = (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      begin();
      if (bytes >= HEAD_BYTES) finish();
    };
    const end = () => {
      begin();
      finish();
    };
    source.on('data', take).once('end', end).once('error', end).once('close', end);
    source.resume();
    const hasBegun = await within(this.#silenceMsMax, begun);
    if (hasBegun) await within(ms, complete);
    source.pause();
    source.off('data', take).off('end', end).off('error', end).off('close', end);
    if (!hasBegun) {
      throw new Failure(`${this.#name} cannot be read: timeout: nothing came for ${this.#silenceMsMax / 1_000} s`);
    }
    return Buffer.concat(chunks);
  }
}
