import { type FileHandle, open } from 'node:fs/promises';

/** Bytes of a chunk: a second of 4 Mb/s. Each read wakes another thread, whatever its length. */
export const CHUNK_BYTES = 524_288;
/** Chunks kept: the distance between the readers of pictures and of sound, a second, in streams of up to 30 Mb/s. */
const CHUNKS_MAX = 8;

/** Part of the file. */
export interface Chunk {
  readonly start: number;
  /** Shorter than the chunk at the end of the file. */
  readonly bytes: Uint8Array;
}

/** Open files, by device, inode, length and time of the last change: a file that was replaced is another one. */
const files = new Map<string, SharedFile>();

/** An open file and its chunks read last: the readers of pictures and of sound read the same bytes, a second apart. */
export class SharedFile {
  readonly #key: string;
  readonly #handle: FileHandle;
  readonly #chunks = new Map<number, Promise<Chunk>>();
  #readers = 1;

  /** Opens a file for one more reader, which closes it once. */
  static async open(path: string): Promise<SharedFile> {
    const handle = await open(path, 'r');
    const { dev, ino, size, mtimeMs } = await handle.stat().catch(async (error: unknown) => {
      await handle.close();
      throw error;
    });
    const key = `${dev} ${ino} ${size} ${mtimeMs}`;
    const shared = files.get(key);
    if (!shared) {
      const opened = new SharedFile(key, handle);
      files.set(key, opened);
      return opened;
    }
    shared.#readers++;
    await handle.close();
    return shared;
  }

  private constructor(key: string, handle: FileHandle) {
    this.#key = key;
    this.#handle = handle;
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  /** Reads into a buffer. @returns the number of bytes, fewer at the end of the file. */
  async read(buffer: Uint8Array, start: number): Promise<number> {
    return (await this.#handle.read(buffer, 0, buffer.length, start)).bytesRead;
  }

  /** Returns the chunk that contains this offset. Its bytes must not be modified. */
  chunkAt(offset: number): Promise<Chunk> {
    const start = offset - (offset % CHUNK_BYTES);
    const known = this.#chunks.get(start);
    if (known) return known;
    const chunk = this.#readChunk(start);
    this.#chunks.set(start, chunk);
    if (this.#chunks.size > CHUNKS_MAX) this.#chunks.delete(this.#chunks.keys().next().value!);
    return chunk;
  }

  async close(): Promise<void> {
    if (--this.#readers > 0) return;
    if (files.get(this.#key) === this) files.delete(this.#key);
    this.#chunks.clear();
    await this.#handle.close();
  }

  async #readChunk(start: number): Promise<Chunk> {
    // All of it is overwritten, or left out.
    const buffer = new Uint8Array(Buffer.allocUnsafeSlow(CHUNK_BYTES).buffer);
    let bytes = 0;
    try {
      bytes = await this.read(buffer, start);
    } finally {
      // A file that grows is read again, as is one that could not be read.
      if (bytes < CHUNK_BYTES) this.#chunks.delete(start);
    }
    return { start, bytes: buffer.subarray(0, bytes) };
  }
}
