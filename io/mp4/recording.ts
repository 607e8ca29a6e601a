import { access, constants, type FileHandle, open, stat } from 'node:fs/promises';
import { dirname, extname } from 'node:path';
import { stdout } from 'node:process';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { CLOCK_RATE, type Ticks, ticks } from '../../protocol/base/units.ts';
import { joinAnnexB } from '../../protocol/codec/h264/annex-b.ts';
import { serializeDecoderConfiguration } from '../../protocol/codec/h264/decoder-configuration.ts';
import { NAL_UNIT_TYPE, nalUnitType } from '../../protocol/codec/h264/nal-unit.ts';
import { H264ParameterSetTracker } from '../../protocol/codec/h264/parameter-sets.ts';
import { parseSequenceParameterSet } from '../../protocol/codec/h264/sequence-parameter-set.ts';
import { TransportStreamWriter } from '../../protocol/transport-stream.ts';
import { causeOf, Failure } from '../os/failure.ts';
import { FragmentedMp4Writer, type SampleEntry } from './fragmented-mp4-writer.ts';

/** Destination that stores access units. */
export interface AccessUnitSink {
  /** Resolves when there is room for the next unit; rejects with a `Failure` that names the file. */
  write(unit: AccessUnit): Promise<void>;
  /** Finishes the file. Idempotent, also after a failure. */
  close(): Promise<void>;
  /** Resolves when the reader of the output has closed it (a closed pipe), so that the recording can stop. */
  readonly abandoned: Promise<void>;
}

/** Properties of a recording known in advance; the stream itself takes precedence. */
export interface RecordingDescription {
  readonly width: number;
  readonly height: number;
  readonly parameterSets: readonly Uint8Array[];
}

/** Duration of an MP4 fragment, 90 kHz: the most that a crash loses. Each fragment adds 150 bytes. */
const FRAGMENT_TICKS: Ticks = ticks(CLOCK_RATE);
/** Lead of the transport stream clock, 90 kHz: half a second for a key frame to arrive, as usual in files. */
const TRANSPORT_CLOCK_LEAD: Ticks = ticks(CLOCK_RATE / 2);
/** Limit of the fragment kept in memory, bytes. */
const FRAGMENT_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Opens `FILE.h264` (Annex B), `FILE.mp4`, `FILE.ts`, or `-` for Annex B on stdout. When it resolves, the file exists
 * and is writable.
 */
export async function openRecording(path: string, description: RecordingDescription): Promise<AccessUnitSink> {
  if (path === '-') return new StandardOutput();
  const serializer = serializerFor(path, description);
  try {
    return new RecordingFile(path, await open(path, 'w'), serializer);
  } catch (error) {
    throw new Failure(`cannot write ${path}: ${causeOf(error)}`);
  }
}

/** Fails early with the error that `openRecording` would raise once the stream has started; leaves no file behind. */
export async function checkRecordable(path: string): Promise<void> {
  if (path === '-') return;
  serializerFor(path, { width: 0, height: 0, parameterSets: [] });
  await checkWritable(path);
}

/** Fails early if the file cannot be written; leaves no file behind. */
export async function checkWritable(path: string): Promise<void> {
  try {
    await access(dirname(path), constants.W_OK);
    const present = await stat(path).catch(() => undefined);
    if (present?.isDirectory()) throw new Failure(`cannot write ${path}: it is a directory`);
    if (present) await access(path, constants.W_OK);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(`cannot write ${path}: ${causeOf(error)}`);
  }
}

/** Converts access units into the bytes of a format. */
interface Serializer {
  push(unit: AccessUnit): Uint8Array | undefined;
  flush(): Uint8Array | undefined;
  /** Returns the changed start of the file, of constant length; `undefined` when unchanged since the last call. */
  takeHeader?(): Uint8Array | undefined;
}

function serializerFor(path: string, description: RecordingDescription): Serializer {
  switch (extname(path).toLowerCase()) {
    case '.h264':
    case '.264':
      return { push: (unit) => joinAnnexB(unit.parts), flush: () => undefined };
    case '.ts': {
      const writer = new TransportStreamWriter({ clockLead: TRANSPORT_CLOCK_LEAD });
      return { push: (unit) => writer.write(unit), flush: () => undefined };
    }
    case '.mp4':
      return new Mp4Serializer(description);
    default:
      throw new Failure(`cannot write ${path}: its name must end in .h264, .mp4 or .ts, or be - for stdout`, 2);
  }
}

class RecordingFile implements AccessUnitSink {
  readonly abandoned = new Promise<void>(() => {});
  readonly #path: string;
  readonly #serializer: Serializer;
  #file: FileHandle | undefined;
  /** Serializes the writes and the close, even if the caller does not await them. */
  #last: Promise<void> = Promise.resolve();

  constructor(path: string, file: FileHandle, serializer: Serializer) {
    this.#path = path;
    this.#file = file;
    this.#serializer = serializer;
  }

  write(unit: AccessUnit): Promise<void> {
    return this.#afterwards(async () => this.#append(this.#serializer.push(unit)));
  }

  close(): Promise<void> {
    return this.#afterwards(async () => {
      const file = this.#file;
      if (file === undefined) return;
      try {
        await this.#append(this.#serializer.flush());
      } finally {
        this.#file = undefined;
        await file.close().catch(() => {});
      }
    });
  }

  #afterwards(action: () => Promise<void>): Promise<void> {
    const result = this.#last.then(action);
    this.#last = result.catch(() => {});
    return result;
  }

  async #append(bytes: Uint8Array | undefined): Promise<void> {
    const file = this.#file;
    if (bytes === undefined || file === undefined) return;
    try {
      const header = this.#serializer.takeHeader?.();
      // A pipe is not seekable.
      if (header !== undefined) await file.write(header, 0, header.length, 0).catch(ignoreUnseekable);
      // `write` may write only a part.
      await file.appendFile(bytes);
    } catch (error) {
      this.#file = undefined;
      await file.close().catch(() => {});
      throw new Failure(`cannot write ${this.#path}: ${causeOf(error)}`);
    }
  }
}

function ignoreUnseekable(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ESPIPE') throw error;
}

class StandardOutput implements AccessUnitSink {
  readonly abandoned: Promise<void>;
  #isAbandoned = false;
  #failure: Failure | undefined;
  readonly #fail: (error: NodeJS.ErrnoException) => void;

  constructor() {
    let abandon = (): void => {};
    this.abandoned = new Promise((resolve) => {
      abandon = resolve;
    });
    this.#fail = (error) => {
      // `dropframe … | head` closes stdout: the reader is done, which is not a failure.
      if (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED') {
        this.#isAbandoned = true;
        abandon();
      } else {
        this.#failure ??= new Failure(`cannot write to stdout: ${causeOf(error)}`);
      }
    };
    // Never removed: an error may arrive long after the write, and would end the process without a listener.
    stdout.on('error', this.#fail);
  }

  async write(unit: AccessUnit): Promise<void> {
    if (this.#isAbandoned) return;
    if (this.#failure !== undefined) throw this.#failure;
    await new Promise<void>((resolve) => {
      stdout.write(joinAnnexB(unit.parts), (error) => {
        if (error) this.#fail(error);
        resolve();
      });
    });
    if (this.#failure !== undefined) throw this.#failure;
  }

  async close(): Promise<void> {}
}

/** Limit of sequence parameter sets in an avcC, whose count has five bits (ISO/IEC 14496-15 §5.3.3.1). */
const SEQUENCE_SETS_MAX = 31;

/**
 * Starts a fragment every second, and at a keyframe whose active parameter sets differ from the current sample entry.
 * The file begins with a keyframe; earlier units are dropped because they cannot be decoded.
 */
class Mp4Serializer implements Serializer {
  readonly #description: RecordingDescription;
  /** Active parameter sets, by type and identifier. */
  readonly #sets = new H264ParameterSetTracker();
  #writer: FragmentedMp4Writer | undefined;
  #waiting: AccessUnit[] = [];
  #waitingBytes = 0;
  #lastStep: Ticks = ticks(0);
  /** Sample entry of the pending fragment. */
  #entry: SampleEntry | undefined;
  #headerChanged = false;

  constructor(description: RecordingDescription) {
    this.#description = description;
    for (const set of description.parameterSets) this.#sets.add(set);
  }

  push(unit: AccessUnit): Uint8Array | undefined {
    for (const nalUnit of unit.parts) this.#sets.add(nalUnit);
    let header: Uint8Array | undefined;
    if (this.#writer === undefined) {
      if (unit.importance !== 'key') return undefined;
      header = this.#start(unit);
      if (header === undefined) return undefined;
    }
    const first = this.#waiting[0];
    const last = this.#waiting.at(-1);
    if (last !== undefined) this.#lastStep = ticks(unit.decodeTimestamp - last.decodeTimestamp);
    const entry = unit.importance === 'key' ? this.#entryFor(unit) : undefined;
    const isFull =
      first !== undefined &&
      (entry !== undefined ||
        unit.decodeTimestamp - first.decodeTimestamp >= FRAGMENT_TICKS ||
        this.#waitingBytes >= FRAGMENT_BYTES_MAX);
    const fragment = isFull ? this.#fragment(unit.decodeTimestamp) : undefined;
    this.#entry = entry ?? this.#entry;
    this.#waiting.push(unit);
    this.#waitingBytes += unit.parts.reduce((sum, nalUnit) => sum + nalUnit.length, 0);
    return header ?? fragment;
  }

  flush(): Uint8Array | undefined {
    const last = this.#waiting.at(-1);
    return last === undefined ? undefined : this.#fragment(ticks(last.decodeTimestamp + this.#lastStep));
  }

  takeHeader(): Uint8Array | undefined {
    const header = this.#headerChanged ? this.#writer?.header() : undefined;
    this.#headerChanged = false;
    return header;
  }

  #fragment(nextDecodeTimestamp: Ticks): Uint8Array | undefined {
    const writer = this.#writer;
    if (writer === undefined) return undefined;
    if (this.#entry !== undefined && writer.use(this.#entry)) this.#headerChanged = true;
    const before = writer.shownFrom;
    const fragment = writer.fragment(this.#waiting, nextDecodeTimestamp);
    if (writer.shownFrom !== before) this.#headerChanged = true;
    this.#waiting = [];
    this.#waitingBytes = 0;
    return fragment;
  }

  #start(unit: AccessUnit): Uint8Array | undefined {
    this.#entry = this.#entryFor(unit);
    if (this.#entry === undefined) return undefined;
    this.#writer = new FragmentedMp4Writer(this.#entry);
    return this.#writer.header();
  }

  /** Returns a new sample entry for the active parameter sets; `undefined` when unchanged or not possible. */
  #entryFor(unit: AccessUnit): SampleEntry | undefined {
    const sets = this.#sets.sets();
    const sequences = sets.filter(isSequence);
    const own = unit.parts.find(isSequence) ?? sequences[0];
    if (own === undefined || own.length < 4 || sequences.length > SEQUENCE_SETS_MAX) return undefined;
    // The configuration takes profile and level from the first set.
    const parameterSets = [own, ...sets.filter((set) => !sameBytes(set, own))];
    const configuration = serializeDecoderConfiguration(parameterSets);
    if (this.#entry !== undefined && sameBytes(this.#entry.configuration, configuration)) return undefined;
    const sps = parseSequenceParameterSet(own);
    const { width, height } = sps.ok ? sps.value : this.#description;
    return { width, height, configuration, parameterSets };
  }
}

function isSequence(nalUnit: Uint8Array): boolean {
  return nalUnitType(nalUnit) === NAL_UNIT_TYPE.sequenceParameterSet;
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
