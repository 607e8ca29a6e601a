import { type FileHandle, open } from 'node:fs/promises';
import { extname } from 'node:path';
import { stdout } from 'node:process';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { equalBytes } from '../../protocol/base/equal-bytes.ts';
import { CLOCK_RATE, type Ticks, ticks } from '../../protocol/base/units.ts';
import type { ByteStreamFormat, Codec, ParameterSetTracker } from '../../protocol/codec/codec.ts';
import { type CodecName, codecByName, DEFAULT_CODEC, VIDEO_CODEC_NAMES } from '../../protocol/codec/codecs.ts';
import type { Rotation } from '../../protocol/codec/nal/display-orientation.ts';
import { orientedUnit } from '../../protocol/codec/oriented-unit.ts';
import { TransportStreamWriter } from '../../protocol/transport-stream.ts';
import { MatroskaFileSerializer } from '../matroska/matroska-file.ts';
import { causeOf, Failure } from '../os/failure.ts';
import { checkWritable, requireReader } from '../os/writable-path.ts';
import { FragmentedMp4Writer, type SampleEntry } from './fragmented-mp4-writer.ts';
import { SoundFileSerializer } from './sound-file.ts';
import type { Mp4Sound } from './sound-fragments.ts';

/** Destination that stores access units. */
export interface AccessUnitSink {
  /** Resolves when there is room for the next unit; rejects with a `Failure` that names the file. */
  write(unit: AccessUnit): Promise<void>;
  /** The same for a unit of the sound, on the timeline of the pictures; absent where the format has none. */
  writeSound?(unit: AccessUnit): Promise<void>;
  /** Finishes the file. Idempotent, also after a failure. */
  close(): Promise<void>;
  /** Resolves when the reader of the output has closed it (a closed pipe), so that the recording can stop. */
  readonly abandoned: Promise<void>;
}

/** Properties of a recording known in advance; the stream itself takes precedence. */
export interface RecordingDescription {
  readonly width: number;
  readonly height: number;
  /** Rotation clockwise that a player applies; none by default. */
  readonly rotation?: Rotation | undefined;
  readonly parameterSets: readonly Uint8Array[];
  /** Sound beside the pictures; `undefined` without. */
  readonly sound?: { readonly codecName: CodecName; readonly parameterSets: readonly Uint8Array[] } | undefined;
}

/** Duration of an MP4 fragment, 90 kHz: the most that a crash loses. Each fragment adds 150 bytes. */
const FRAGMENT_TICKS: Ticks = ticks(CLOCK_RATE);
/** Lead of the transport stream clock, 90 kHz: half a second for a key frame to arrive, as usual in files. */
const TRANSPORT_CLOCK_LEAD: Ticks = ticks(CLOCK_RATE / 2);
/** Units of sound kept until the first picture: what a decoder needs to get going, with a margin. */
const EARLY_SOUND_MAX = 64;
/** Limit of the fragment kept in memory, bytes. */
const FRAGMENT_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Opens `FILE.mp4`, `FILE.mkv`, `FILE.ts`, a file of the codec's byte stream (`FILE.h264`), or `-` for the byte stream on stdout. When it resolves, the file exists
 * and is writable.
 */
export async function openRecording(
  path: string,
  description: RecordingDescription,
  codec: Codec = DEFAULT_CODEC,
): Promise<AccessUnitSink> {
  if (path === '-')
    return new StandardOutput(byteStreamOf(path, codec), (unit) => orientedUnit(codec, unit, description.rotation));
  const serializer = serializerFor(path, description, codec);
  requireReader(path);
  try {
    return new RecordingFile(path, await open(path, 'w'), serializer);
  } catch (error) {
    throw new Failure(`cannot write ${path}: ${causeOf(error)}`);
  }
}

/** Fails early with the error that `openRecording` would raise once the stream has started; leaves no file behind. */
export async function checkRecordable(path: string): Promise<void> {
  if (path === '-') return;
  const extension = extname(path).toLowerCase();
  // The stream's codec is not known yet.
  const codecs = VIDEO_CODEC_NAMES.map((name) => codecByName(name));
  const codec = codecs.find(({ byteStream }) => byteStream?.extensions.includes(extension)) ?? DEFAULT_CODEC;
  serializerFor(path, { width: 0, height: 0, parameterSets: [] }, codec);
  await checkWritable(path);
}

/** True when a file of this name can hold the stream. */
export function canRecord(
  path: string,
  description: RecordingDescription & { readonly codecName: CodecName },
): boolean {
  try {
    serializerFor(path, description, codecByName(description.codecName));
    return true;
  } catch (error) {
    if (error instanceof Failure) return false;
    throw error;
  }
}

/** Converts access units into the bytes of a format. */
interface Serializer {
  push(unit: AccessUnit): Uint8Array | undefined;
  pushSound?(unit: AccessUnit): Uint8Array | undefined;
  flush(): Uint8Array | undefined;
  /** Returns the changed start of the file, of constant length; `undefined` when unchanged since the last call. */
  takeHeader?(): Uint8Array | undefined;
}

function serializerFor(path: string, description: RecordingDescription, codec: Codec): Serializer {
  const extension = extname(path).toLowerCase();
  if (extension === '.ts') {
    if (!codec.transportStream)
      throw new Failure(`cannot write ${path}: writing ${codec.name} to a transport stream is not supported`, 2);
    const sound = soundOf(description, 'transportStream');
    const { parameterSets } = description;
    const clockLead = TRANSPORT_CLOCK_LEAD;
    const writer = new TransportStreamWriter({ codec, clockLead, parameterSets, ...(sound && { sound }) });
    return {
      push: (unit) => writer.write(orientedUnit(codec, unit, description.rotation)),
      pushSound: (unit) => writer.writeSound(unit),
      flush: () => undefined,
    };
  }
  if (extension === '.mp4') {
    if (!codec.mp4) throw new Failure(`cannot write ${path}: writing ${codec.name} to MP4 is not supported`, 2);
    if (codec.mediaType === 'audio')
      return new SoundFileSerializer({ codec, parameterSets: description.parameterSets });
    return new Mp4Serializer(codec, description);
  }
  if (extension === '.mkv') return matroskaSerializer(path, description, codec);
  const byteStream = byteStreamOf(path, codec);
  if (!byteStream.extensions.includes(extension)) {
    const usual = byteStream.extensions[0];
    throw new Failure(`cannot write ${path}: its name must end in ${usual}, .mp4, .mkv or .ts, or be - for stdout`, 2);
  }
  const push = (unit: AccessUnit) => byteStream.write(orientedUnit(codec, unit, description.rotation).parts);
  return { push, flush: () => undefined };
}

function matroskaSerializer(path: string, description: RecordingDescription, codec: Codec): Serializer {
  if (!codec.matroska) throw new Failure(`cannot write ${path}: writing ${codec.name} to Matroska is not supported`, 2);
  if (codec.mediaType === 'audio')
    return new MatroskaFileSerializer({ sound: { codec, parameterSets: description.parameterSets } });
  const sound = soundOf(description, 'matroska');
  return new MatroskaFileSerializer({ pictures: { ...description, codec }, sound });
}

/** Sound of the stream that a recording at `path` holds; `undefined` without. */
export function recordableSound(path: string, description: RecordingDescription): Mp4Sound | undefined {
  switch (extname(path).toLowerCase()) {
    case '.mp4':
      return soundOf(description, 'mp4');
    case '.mkv':
      return soundOf(description, 'matroska');
    case '.ts':
      return soundOf(description, 'transportStream');
    default:
      return undefined;
  }
}

/** Sound that the container can hold; `undefined` without. */
function soundOf(
  { sound }: RecordingDescription,
  container: 'mp4' | 'transportStream' | 'matroska',
): Mp4Sound | undefined {
  if (!sound) return undefined;
  const { parameterSets } = sound;
  const codec = codecByName(sound.codecName);
  const isKnown = codec[container] !== undefined && codec.sound?.describe(parameterSets) !== undefined;
  return isKnown && (container !== 'mp4' || codec.mp4?.configuration(parameterSets))
    ? { codec, parameterSets }
    : undefined;
}

function byteStreamOf(path: string, { name, byteStream }: Codec): ByteStreamFormat {
  if (!byteStream) throw new Failure(`cannot write ${path}: ${name} needs a container (.mp4, .mkv or .ts)`, 2);
  return byteStream;
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

  writeSound(unit: AccessUnit): Promise<void> {
    return this.#afterwards(async () => this.#append(this.#serializer.pushSound?.(unit)));
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
  readonly #format: ByteStreamFormat;
  readonly abandoned: Promise<void>;
  #isAbandoned = false;
  #failure: Failure | undefined;
  readonly #fail: (error: NodeJS.ErrnoException) => void;

  readonly #oriented: (unit: AccessUnit) => AccessUnit;

  constructor(format: ByteStreamFormat, oriented: (unit: AccessUnit) => AccessUnit) {
    this.#format = format;
    this.#oriented = oriented;
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
      stdout.write(this.#format.write(this.#oriented(unit).parts), (error) => {
        if (error) this.#fail(error);
        resolve();
      });
    });
    if (this.#failure !== undefined) throw this.#failure;
  }

  async close(): Promise<void> {}
}

/**
 * Starts a fragment every second, and at a key frame whose active parameter sets differ from the current sample entry.
 * The file begins with a key frame; earlier units are dropped because they cannot be decoded.
 */
class Mp4Serializer implements Serializer {
  readonly #codec: Codec;
  readonly #description: RecordingDescription;
  /** Active parameter sets, by type and identifier. */
  readonly #sets: ParameterSetTracker;
  #writer: FragmentedMp4Writer | undefined;
  readonly #sound: Mp4Sound | undefined;
  /** Sound from before the first picture. */
  #earlySound: AccessUnit[] = [];
  #waiting: AccessUnit[] = [];
  #waitingBytes = 0;
  #lastStep: Ticks = ticks(0);
  /** Sample entry of the pending fragment. */
  #entry: SampleEntry | undefined;
  #headerChanged = false;

  constructor(codec: Codec, description: RecordingDescription) {
    this.#codec = codec;
    this.#description = description;
    this.#sound = soundOf(description, 'mp4');
    this.#sets = codec.trackParameterSets();
    for (const set of description.parameterSets) this.#sets.add(set);
  }

  push(unit: AccessUnit): Uint8Array | undefined {
    for (const part of unit.parts) this.#sets.add(part);
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
    this.#waitingBytes += unit.parts.reduce((sum, { length }) => sum + length, 0);
    return header ?? fragment;
  }

  pushSound(unit: AccessUnit): undefined {
    if (this.#writer) return this.#writer.addSound(unit) as undefined;
    this.#earlySound.push(unit);
    if (this.#earlySound.length > EARLY_SOUND_MAX) this.#earlySound.shift();
  }

  flush(): Uint8Array | undefined {
    const last = this.#waiting.at(-1);
    return last === undefined ? undefined : this.#fragment(ticks(last.decodeTimestamp + this.#lastStep), true);
  }

  takeHeader(): Uint8Array | undefined {
    const header = this.#headerChanged ? this.#writer?.header() : undefined;
    this.#headerChanged = false;
    return header;
  }

  #fragment(nextDecodeTimestamp: Ticks, isEnd = false): Uint8Array | undefined {
    const writer = this.#writer;
    if (writer === undefined) return undefined;
    if (this.#entry !== undefined && writer.use(this.#entry)) this.#headerChanged = true;
    const before = writer.start;
    const fragment = writer.fragment(this.#waiting, nextDecodeTimestamp, isEnd);
    if (writer.start !== before) this.#headerChanged = true;
    this.#waiting = [];
    this.#waitingBytes = 0;
    return fragment;
  }

  #start(unit: AccessUnit): Uint8Array | undefined {
    this.#entry = this.#entryFor(unit);
    if (this.#entry === undefined) return undefined;
    this.#writer = new FragmentedMp4Writer(this.#codec, this.#entry, this.#sound, this.#description.rotation);
    for (const sound of this.#earlySound) this.#writer.addSound(sound);
    this.#earlySound = [];
    return this.#writer.header();
  }

  /** Returns a new sample entry for the active parameter sets; `undefined` when unchanged or not possible. */
  #entryFor(unit: AccessUnit): SampleEntry | undefined {
    const sets = this.#sets.sets();
    const codec = this.#codec;
    // The set in force is the unit's own, if it has one.
    const candidates = [...codec.parameterSetsOf(unit.parts), ...sets];
    const own = candidates.find((set) => codec.describe([set])) ?? candidates[0];
    const parameterSets = own ? [own, ...sets.filter((set) => !equalBytes(set, own))] : [];
    const configuration = codec.mp4!.configuration(parameterSets);
    if (configuration === undefined) return undefined;
    if (this.#entry !== undefined && equalBytes(this.#entry.configuration, configuration)) return undefined;
    const format = codec.describe(parameterSets.slice(0, 1));
    const { width, height } = format ?? this.#description;
    return { width, height, signal: format?.signal, configuration, parameterSets };
  }
}
