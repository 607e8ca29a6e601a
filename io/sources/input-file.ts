import { open, stat } from 'node:fs/promises';
import { type CodecName, codecByName, VIDEO_CODEC_NAMES } from '../../protocol/codec/codecs.ts';
import { causeOf, Failure } from '../os/failure.ts';

/** Kind of an input, before its content is examined. */
export type InputKind =
  | { readonly kind: 'file'; readonly path: string; readonly head: Uint8Array; readonly bytes: number }
  /** Input for ffmpeg only: a URL, a device, a named pipe. */
  | { readonly kind: 'other' };

/** Endings of raw byte streams, beside those that their codecs name. */
const OTHER_ENDINGS: Readonly<Partial<Record<CodecName, readonly string[]>>> = {
  h264: ['.avc', '.jsv', '.26l', '.jvt'],
  h265: ['.hvc'],
};

/** Returns the codec of the raw byte stream that the ending of a file name announces; `undefined`: none. */
export function codecOfEnding(ending: string): CodecName | undefined {
  return VIDEO_CODEC_NAMES.find((name) => {
    const endings = [...(codecByName(name).byteStream?.extensions ?? []), ...(OTHER_ENDINGS[name] ?? [])];
    return endings.includes(ending);
  });
}

const HEAD_BYTES = 64 * 1024;
/** Magic numbers of pcap (both byte orders, micro- and nanoseconds) and pcapng. */
const CAPTURES: readonly string[] = ['d4c3b2a1', 'a1b2c3d4', '4d3cb2a1', 'a1b23c4d', '0a0d0d0a'];

/** True for a file on a web server. */
export const isRemoteFile = (input: string): boolean => /^https?:\/\//i.test(input);

/** Examines an input by name and first bytes. @throws {Failure} when it cannot be read or cannot be a video. */
export async function examineInput(input: string): Promise<InputKind> {
  if (input === '-') throw new Failure('stdin cannot be used as input: name a file or a URL', 2);
  // Two letters at least: C:\ is a drive.
  if (/^[a-z][a-z0-9+.-]+:/i.test(input) && !(await exists(input))) return { kind: 'other' };
  const facts = await stat(input).catch((error: unknown) => {
    throw new Failure(`cannot open ${input}: ${causeOf(error)}`);
  });
  if (facts.isDirectory()) throw new Failure(`${input} is a directory: name a file`);
  if (facts.isFIFO() || facts.isSocket())
    throw new Failure(`${input} is a pipe, but input is read more than once: name a file`);
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
