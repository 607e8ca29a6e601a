import type { Recording, RunRecord } from './recording.ts';

/** A recording as text, for a page that has it inside. */
export interface RecordingText {
  /** The record as JSON, zipped (gzip), in base64. */
  readonly record: string;
  /** The media in base64. */
  readonly media: string;
}

/** Times are written to a tenth of a millisecond: a tenth of a packet at 10 Mb/s. */
const PER_MS = 10;
/** Bytes that are encoded at once: whole groups of three, and few enough for the arguments of a call. */
const CHUNK = 24_576;

export async function writeRecording({ record, media }: Recording): Promise<RecordingText> {
  const json = JSON.stringify(record, (_, value: unknown) => (typeof value === 'number' ? rounded(value) : value));
  const zipped = new Blob([json]).stream().pipeThrough(new CompressionStream('gzip'));
  return { record: base64Of(new Uint8Array(await new Response(zipped).arrayBuffer())), media: base64Of(media) };
}

/** @throws when the text is not a recording of this version. */
export async function readRecording({ record, media }: RecordingText): Promise<Recording> {
  const zipped = new Blob([bytesOf(record)]).stream().pipeThrough(new DecompressionStream('gzip'));
  const read = JSON.parse(await new Response(zipped).text()) as RunRecord;
  if (read.version !== 1) throw new Error(`this is a recording of version ${read.version}`);
  return { record: read, media: bytesOf(media) };
}

const rounded = (value: number): number => (Number.isInteger(value) ? value : Math.round(value * PER_MS) / PER_MS);

function base64Of(bytes: Uint8Array): string {
  const texts: string[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK) {
    texts.push(btoa(String.fromCharCode(...bytes.subarray(at, at + CHUNK))));
  }
  return texts.join('');
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const binary = atob(base64.trim());
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index++) bytes[index] = binary.charCodeAt(index);
  return bytes;
}
