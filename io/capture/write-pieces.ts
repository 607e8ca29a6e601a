import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { causeOf, Failure } from '../os/failure.ts';

/** Pieces are joined up to this length, characters, so that lines do not become writes. */
const JOINED = 1 << 16;

/** Writes text piece by piece, without holding all of it. @throws {Failure} when it cannot be written */
export async function writePieces(path: string, pieces: Iterable<string>): Promise<void> {
  try {
    await pipeline(Readable.from(joined(pieces)), createWriteStream(path));
  } catch (error) {
    throw new Failure(`cannot write ${path}: ${causeOf(error)}`);
  }
}

function* joined(pieces: Iterable<string>): Generator<string> {
  let text = '';
  for (const piece of pieces) {
    text += piece;
    if (text.length < JOINED) continue;
    yield text;
    text = '';
  }
  if (text !== '') yield text;
}
