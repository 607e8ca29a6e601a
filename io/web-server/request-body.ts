import { createWriteStream } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { refuse } from './local-site.ts';

/** Time for which further input is discarded, milliseconds, so that the answer is read before the connection ends. */
const CLOSE_TIMEOUT_MS = 300;

/**
 * Minimum progress of an upload: on this machine it is hundreds of megabytes a second, through a slow tunnel 100 kB/s.
 */
const PROGRESS_BYTES_MIN = 65_536;
const PROGRESS_MS = 10_000;

/** Thrown when a body exceeds its limit. */
export class BodyTooLarge extends Error {}

/** Thrown when an upload stalls. */
export class BodyStalled extends Error {}

/**
 * Writes the body of a request to a file.
 * @param progressMs interval in which 64 KiB of it must arrive.
 * @throws {BodyTooLarge | BodyStalled}
 */
export async function saveBody(
  request: IncomingMessage,
  path: string,
  bytesMax: number,
  progressMs = PROGRESS_MS,
): Promise<void> {
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) throw new BodyTooLarge();
  let bytes = 0;
  const bound = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > bytesMax) done(new BodyTooLarge());
      else done(null, chunk);
    },
  });
  let before = 0;
  const timer = setInterval(() => {
    if (bytes - before < PROGRESS_BYTES_MIN) bound.destroy(new BodyStalled('the upload stalled'));
    before = bytes;
  }, progressMs);
  try {
    await pipeline(request, bound, createWriteStream(path));
  } finally {
    clearInterval(timer);
  }
}

/**
 * Reads a short body as text.
 * @throws {BodyTooLarge | BodyStalled} when it is longer, or not there in time.
 */
export async function readBody(
  request: IncomingMessage,
  { bytesMax, msMax }: { readonly bytesMax: number; readonly msMax: number },
): Promise<string> {
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) throw new BodyTooLarge();
  const chunks: Buffer[] = [];
  let bytes = 0;
  return await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new BodyStalled('the body is not complete')), msMax);
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > bytesMax) reject(new BodyTooLarge());
      else chunks.push(chunk);
    });
    request.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    request.once('close', () => {
      clearTimeout(timer);
      reject(new BodyStalled('the connection closed'));
    });
  });
}

/** Refuses a request whose sender may still be sending. */
export function deny(request: IncomingMessage, response: ServerResponse, status: number, why: string): void {
  if (response.destroyed) return;
  response.setHeader('Connection', 'close');
  refuse(response, status, why);
  request.resume();
  setTimeout(() => request.destroy(), CLOSE_TIMEOUT_MS).unref();
}
