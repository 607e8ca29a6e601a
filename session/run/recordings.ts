import {
  canContinueRecording,
  nextRecordingPath,
  type RecordedStream,
  recordingName,
} from '../../io/mp4/next-recording.ts';
import type { RecordingDescription } from '../../io/mp4/recording.ts';
import { causeOf, Failure } from '../../io/os/failure.ts';
import type { Log } from '../../io/os/log.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { codecByName } from '../../protocol/codec/codecs.ts';
import type { StreamAnnouncement } from '../stream/client.ts';
import { Outlet } from './outlet.ts';
import { Recorder } from './recorder.ts';
import { streamChange } from './stream-change.ts';

export interface RecordingsOptions {
  /** Name of the first file; others are beside it. */
  readonly path: string;
  readonly log: Log;
  /** Called when a recording fails; no other is begun. */
  readonly onFailure: (error: unknown) => void;
  /** Called when the reader of the output is gone. */
  readonly onAbandoned: () => void;
}

/** Recordings of a run: one file, and another beside it each time that the stream returns as one that the file cannot hold. */
export class Recordings {
  readonly #options: RecordingsOptions;
  readonly #outlets: Outlet<Recorder>[] = [];
  readonly #closed: Promise<void>[] = [];
  /** The stream that the current file was opened for. */
  #opened: StreamAnnouncement | undefined;
  #stream: StreamAnnouncement | undefined;
  /** True once the current session's parameter sets are in the file. */
  #hasSets = false;
  #failed = false;

  constructor(options: RecordingsOptions) {
    this.#options = options;
  }

  /** Pictures written to all files; `undefined` before one is open. */
  get written(): number | undefined {
    const counts = this.#outlets.map(({ opened }) => opened?.written).filter((count) => count !== undefined);
    return counts.length === 0 ? undefined : counts.reduce((sum, count) => sum + count, 0);
  }

  /** The following units are those of this stream. */
  begin(stream: StreamAnnouncement): void {
    const { path } = this.#options;
    const before = this.#opened;
    this.#stream = stream;
    this.#hasSets = false;
    if (this.#failed) return;
    if (!before) return this.#add(stream, Recorder.open(path, recordedStream(stream), this.#fail));
    const held = recordedStream(before);
    if (canContinueRecording(recordingName(path, held), held, recordedStream(stream))) return;
    this.#closed.push(this.#outlets.at(-1)!.close());
    this.#add(stream, this.#openNext(stream, streamChange(before, stream)!));
  }

  /** Writes a picture. */
  write(unit: AccessUnit): void {
    const isFirst = !this.#hasSets && unit.importance === 'key';
    this.#hasSets ||= isFirst;
    // A file needs the parameter sets of a session once, at its start; everything else is written as received.
    const written = isFirst && this.#stream ? joinableUnit(unit, this.#stream) : unit;
    this.#outlets.at(-1)?.write(written, { decodeOnly: false });
  }

  /** Writes a unit of the sound beside the pictures. */
  writeSound(unit: AccessUnit): void {
    this.#outlets.at(-1)?.write(unit, { decodeOnly: false, isSound: true });
  }

  /** Waits until everything is written and the files are closed. */
  async close(): Promise<void> {
    await Promise.all([...this.#closed, this.#outlets.at(-1)?.close()]);
  }

  #add(stream: StreamAnnouncement, opening: Promise<Recorder>): void {
    const { onAbandoned } = this.#options;
    this.#opened = stream;
    const onOpen = (recorder: Recorder) => void recorder.abandoned.then(onAbandoned);
    this.#outlets.push(new Outlet(opening, { onFailure: this.#fail, onOpen }));
  }

  /** @param change why the current file cannot hold the stream. */
  async #openNext(stream: StreamAnnouncement, change: string): Promise<Recorder> {
    const { path, log } = this.#options;
    try {
      const next = await nextRecordingPath(path, recordedStream(stream));
      const recorder = await Recorder.open(next, recordedStream(stream), this.#fail);
      log.warn(`the sender has returned with ${change}: the recording continues in ${next}`);
      return recorder;
    } catch (error) {
      throw new Failure(`the sender has returned with ${change}: ${causeOf(error)}`);
    }
  }

  readonly #fail = (error: unknown): void => {
    this.#failed = true;
    this.#options.onFailure(error);
  };
}

function recordedStream({ codecName, media, parameterSets, sound }: StreamAnnouncement): RecordedStream {
  const { width, height, rotation } = media;
  const description: RecordingDescription = { width, height, rotation, parameterSets, sound };
  return { ...description, codecName };
}

/** A key frame with the parameter sets of its stream, and any other unit as it is. */
export function joinableUnit(unit: AccessUnit, { codecName, parameterSets }: StreamAnnouncement): AccessUnit {
  if (unit.importance !== 'key') return unit;
  return { ...unit, parts: codecByName(codecName).withParameterSets(unit.parts, parameterSets) };
}
