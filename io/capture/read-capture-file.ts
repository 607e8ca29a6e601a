import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { causeOf, Failure } from '../os/failure.ts';

/** Bytes per read: memory stays bounded however long the file is. */
const CHUNK_BYTES = 1 << 20;

/** Returns the first bytes of a file, from which its format is recognized. @throws {Failure} when it cannot be read */
export async function readFileHead(path: string, bytes: number): Promise<Uint8Array> {
  for await (const chunk of chunksOf(path, bytes)) return chunk.subarray(0, bytes);
  throw new Failure(`${path} is empty`);
}

/**
 * Yields a file in chunks. @param bytes read at most
 * @throws {Failure} when it cannot be read, is no file, or is empty
 */
export async function* chunksOf(path: string, bytes = Number.POSITIVE_INFINITY): AsyncGenerator<Uint8Array> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) throw new Failure(`${path} is a directory; give a capture or a trace file`);
    if (!found.isFile()) throw new Failure(`${path} is not a regular file; write it to disk first`);
    if (found.size === 0) throw new Failure(`${path} is empty`);
    const end = bytes === Number.POSITIVE_INFINITY ? {} : { end: bytes - 1 };
    for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES, ...end })) yield chunk as Uint8Array;
  } catch (error) {
    throw error instanceof Failure ? error : new Failure(`cannot read ${path}: ${causeOf(error)}`);
  }
}

/** Text files of other tools: their longest published traces have a tenth of it. */
const TEXT_BYTES_MAX = 64 << 20;

/** Reads a trace of another tool. @throws {Failure} when it is too long or cannot be read */
export async function readTextFile(path: string): Promise<string> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunksOf(path)) {
    length += chunk.length;
    if (length > TEXT_BYTES_MAX) throw new Failure(`${path} is neither a capture nor a trace: more than 64 MB of text`);
    pieces.push(chunk);
  }
  return Buffer.concat(pieces).toString('utf8');
}
