import { open, stat } from 'node:fs/promises';
import { causeOf, Failure } from '../os/failure.ts';

/** What an input is before its contents are looked at. */
export type InputKind =
  | { readonly kind: 'file'; readonly path: string; readonly head: Uint8Array; readonly bytes: number }
  /** For ffmpeg alone: a URL, a device, a named pipe. */
  | { readonly kind: 'other' };

const HEAD_BYTES = 64 * 1024;
/** pcap in both byte orders and with nanoseconds, pcapng. */
const CAPTURES: readonly string[] = ['d4c3b2a1', 'a1b2c3d4', '4d3cb2a1', 'a1b23c4d', '0a0d0d0a'];
export const RAW_H264: readonly string[] = ['.h264', '.264', '.avc', '.jsv', '.26l', '.jvt'];

/** Opens the door: what can't be read at all, or can't be a video, is refused here in words of our own. */
export async function examineInput(input: string): Promise<InputKind> {
  if (input === '-') throw new Failure('stdin cannot be streamed: name a file or a URL', 2);
  // Two letters at least: C:\ is a disk.
  if (/^[a-z][a-z0-9+.-]+:/i.test(input) && !(await exists(input))) return { kind: 'other' };
  const facts = await stat(input).catch((error: unknown) => {
    throw new Failure(`cannot open ${input}: ${causeOf(error)}`);
  });
  if (facts.isDirectory()) throw new Failure(`${input} is a directory: name one file in it`);
  if (facts.isFIFO() || facts.isSocket())
    throw new Failure(`${input} is a pipe, and is read more than once: name a file`);
  if (!facts.isFile()) return { kind: 'other' };
  if (facts.size === 0) throw new Failure(`${input} is empty`);
  const head = await readHead(input);
  const magic = Buffer.from(head.subarray(0, 4)).toString('hex');
  if (CAPTURES.includes(magic)) {
    throw new Failure(`${input} is a packet capture, not a video: extract the stream from it first`);
  }
  return { kind: 'file', path: input, head, bytes: facts.size };
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function readHead(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path, 'r');
    try {
      const { bytesRead, buffer } = await file.read(new Uint8Array(HEAD_BYTES), 0, HEAD_BYTES, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new Failure(`cannot read ${path}: ${causeOf(error)}`);
  }
}
