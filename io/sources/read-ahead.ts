import { type FileHandle, open } from 'node:fs/promises';
import type { Patch } from '../mp4/mp4-structure.ts';

/** Bytes of a sequential read: a second of 4 Mb/s. Each read wakes another thread, whatever its length. */
const CHUNK_BYTES = 524_288;

/** Part of the file, with the patches applied. */
interface Chunk {
  readonly start: number;
  readonly bytes: Uint8Array;
}

/** Reads a file in any order, with patches applied, and ahead while it is read from front to back. */
export class ReadAhead {
  readonly #path: string;
  readonly #patches: readonly Patch[];
  #file: Promise<FileHandle> | undefined;
  #chunk: Chunk = { start: 0, bytes: new Uint8Array(0) };
  #closed = false;

  /** Opens the file with the first read. */
  constructor(path: string, patches: readonly Patch[]) {
    this.#path = path;
    this.#patches = patches;
  }

  async size(): Promise<number> {
    return (await (await this.#opened()).stat()).size;
  }

  /**
   * Returns the bytes from `start` to `end`, at once if they have been read ahead. Bytes behind the end of the file are
   * 0. The result must not be modified.
   */
  read(start: number, end: number): Uint8Array | Promise<Uint8Array> {
    const { start: from, bytes } = this.#chunk;
    if (start >= from && end <= from + bytes.length) return bytes.subarray(start - from, end - from);
    const continues = start >= from && start <= from + bytes.length;
    return this.#readChunk(start, end - start, continues ? CHUNK_BYTES : 0);
  }

  close(): void {
    this.#closed = true;
    void this.#file?.then((file) => file.close()).catch(() => {});
  }

  /** @param aheadBytes read if the file is long enough. */
  async #readChunk(start: number, length: number, aheadBytes: number): Promise<Uint8Array> {
    const file = await this.#opened();
    const buffer = new Uint8Array(Math.max(length, aheadBytes));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
    for (const patch of this.#patches) {
      for (const [index, byte] of patch.bytes.entries()) {
        const at = patch.offset + index - start;
        if (at >= 0 && at < buffer.length) buffer[at] = byte;
      }
    }
    // A file that grows is read again.
    this.#chunk = { start, bytes: buffer.subarray(0, bytesRead) };
    return buffer.subarray(0, length);
  }

  #opened(): Promise<FileHandle> {
    if (this.#closed) throw new Error('the file was closed');
    this.#file ??= open(this.#path, 'r');
    return this.#file;
  }
}
