import { access } from 'node:fs/promises';
import { extname } from 'node:path';
import { equalLists } from '../../protocol/base/equal-bytes.ts';
import { type CodecName, codecByName } from '../../protocol/codec/codecs.ts';
import { Failure } from '../os/failure.ts';
import { canRecord, type RecordingDescription, recordableSound } from './recording.ts';

/** A stream that is recorded: its codec, and what the file says about it. */
export type RecordedStream = RecordingDescription & { readonly codecName: CodecName };

/** Numbers that are tried for the name of a further recording. */
const NUMBER_MAX = 9_999;

/**
 * True when the recording of one stream at `path` can go on with another: with the same codec, whatever its size, and
 * with the same sound or none. Without sound the file is silent from there on.
 */
export function canContinueRecording(path: string, before: RecordedStream, after: RecordedStream): boolean {
  if (before.codecName !== after.codecName || before.rotation !== after.rotation) return false;
  const isSoundAlone = codecByName(after.codecName).mediaType === 'audio';
  if (isSoundAlone && !equalLists(before.parameterSets, after.parameterSets)) return false;
  const held = recordableSound(path, before);
  const sound = recordableSound(path, after);
  if (!sound) return true;
  return held !== undefined && held.codec === sound.codec && equalLists(held.parameterSets, sound.parameterSets);
}

/**
 * Returns the name of a recording with an extension that can hold the stream: its own, or that of the codec's byte stream
 * instead of another's, or else `.mkv`.
 */
export function recordingName(path: string, stream: RecordedStream): string {
  const given = extname(path);
  const usual = codecByName(stream.codecName).byteStream?.extensions[0];
  const isContainer = ['.mp4', '.mkv', '.ts'].includes(given.toLowerCase());
  const candidates = [given, ...(usual !== undefined && !isContainer ? [usual] : []), '.mkv'];
  const extension = candidates.find((each) => canRecord(`a${each}`, stream)) ?? given;
  return `${path.slice(0, path.length - given.length)}${extension}`;
}

/**
 * Returns the free name of a recording beside the one at `path`: `film-2.mkv` beside `film.mkv`.
 * @throws {Failure} where nothing can be beside it, as on stdout.
 */
export async function nextRecordingPath(path: string, stream: RecordedStream): Promise<string> {
  if (path === '-') throw new Failure('stdout holds one stream: start the receiver again, or record to a file');
  const name = recordingName(path, stream);
  const extension = extname(name);
  const stem = name.slice(0, name.length - extension.length);
  for (let number = 2; number <= NUMBER_MAX; number++) {
    const next = `${stem}-${number}${extension}`;
    if (!(await exists(next))) return next;
  }
  throw new Failure(`cannot write beside ${path}: ${stem}-2${extension} to ${stem}-${NUMBER_MAX}${extension} exist`);
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
