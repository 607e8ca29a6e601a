import type { Patch } from '../mp4/mp4-structure.ts';
import { CHUNK_BYTES, type Chunk, SharedFile } from './shared-file.ts';

/** Reads a file in any order, with patches applied, and ahead while it is read from front to back. */
export class ReadAhead {
  readonly #path: string;
  readonly #patches: readonly Patch[];
  #file: Promise<SharedFile> | undefined;
  #chunk: Chunk = { start: 0, bytes: new Uint8Array(0) };
  #closed = false;

  /** Opens the file with the first read. */
  constructor(path: string, patches: readonly Patch[]) {
    this.#path = path;
    this.#patches = patches;
  }

  async size(): Promise<number> {
    return await (await this.#opened()).size();
  }

  /**
   * Returns the bytes from `start` to `end`, at once if they have been read ahead. Bytes behind the end of the file are
   * 0. The result must not be modified.
   */
  read(start: number, end: number): Uint8Array | Promise<Uint8Array> {
    const { start: from, bytes } = this.#chunk;
    const until = from + bytes.length;
    if (start >= from && end <= until) return bytes.subarray(start - from, end - from);
    const continues = start >= from && start <= until && end - start <= CHUNK_BYTES;
    return continues ? this.#readChunk(start, end) : this.#readRange(start, end);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    void this.#file?.then((file) => file.close()).catch(() => {});
  }

  /** Reads the chunk that contains the end, and the one before it when the range begins there. */
  async #readChunk(start: number, end: number): Promise<Uint8Array> {
    const file = await this.#opened();
    const first = this.#patched(await file.chunkAt(start));
    const last = end <= first.start + CHUNK_BYTES ? first : this.#patched(await file.chunkAt(end - 1));
    this.#chunk = last;
    if (start >= last.start && end <= last.start + last.bytes.length) {
      return last.bytes.subarray(start - last.start, end - last.start);
    }
    const range = new Uint8Array(end - start);
    for (const chunk of first === last ? [last] : [first, last]) {
      const from = Math.max(start, chunk.start);
      range.set(chunk.bytes.subarray(from - chunk.start, end - chunk.start), from - start);
    }
    return range;
  }

  async #readRange(start: number, end: number): Promise<Uint8Array> {
    const file = await this.#opened();
    const bytes = new Uint8Array(end - start);
    const length = await file.read(bytes, start);
    this.#patch(bytes, start);
    this.#chunk = { start, bytes: bytes.subarray(0, length) };
    return bytes;
  }

  /** Returns the chunk with the patches applied, in a copy where there are any. */
  #patched(chunk: Chunk): Chunk {
    if (this.#patches.length === 0) return chunk;
    const bytes = chunk.bytes.slice();
    this.#patch(bytes, chunk.start);
    return { start: chunk.start, bytes };
  }

  #patch(buffer: Uint8Array, start: number): void {
    for (const { offset, bytes } of this.#patches) {
      for (const [index, byte] of bytes.entries()) {
        const at = offset + index - start;
        if (at >= 0 && at < buffer.length) buffer[at] = byte;
      }
    }
  }

  #opened(): Promise<SharedFile> {
    if (this.#closed) throw new Error('the file was closed');
    this.#file ??= SharedFile.open(this.#path);
    return this.#file;
  }
}
