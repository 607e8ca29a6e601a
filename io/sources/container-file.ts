import { ALL_FORMATS, EncodedPacketSink, HLS, Input, type InputVideoTrack, Logging } from 'mediabunny';
import { CLOCK_RATE, type Ticks, ticks } from '../../protocol/base/units.ts';
import type { Codec } from '../../protocol/codec/codec.ts';
import { type CodecName, codecByName } from '../../protocol/codec/codecs.ts';
import { type FrameStreamFormat, frameStreamOf } from '../../protocol/codec/frame-streams.ts';
import { splitAnnexB } from '../../protocol/codec/nal/annex-b.ts';
import type { Rotation } from '../../protocol/codec/nal/display-orientation.ts';
import { splitLengthPrefixed } from '../../protocol/codec/nal/length-prefixed.ts';
import type { NalConfiguration } from '../../protocol/codec/nal/nal-stream-format.ts';
import type { VideoSignal } from '../../protocol/codec/nal/video-signal.ts';
import { hasNalUnits, nalStreamOf } from '../../protocol/codec/nal-streams.ts';
import { type Edit, type Mp4Structure, type Patch, readMp4Encryption, readMp4Structure } from '../mp4/mp4-structure.ts';
import { lateText, whileWorking } from '../os/time-limit.ts';
import { signalOf, withContainerSignal } from './container-signal.ts';
import { readMatroskaStructure } from './matroska-structure.ts';
import { applyEdits, editsFrom } from './mp4-edits.ts';
import { fileSource, Mp4Packets, packetsOf, READ_MS_MAX } from './mp4-packets.ts';
import type { Sample, SampleTrack } from './sample-units.ts';

/** Result of examining a file of any kind. */
export type ContainerFinding =
  | { readonly kind: 'copyable'; readonly file: ContainerFile }
  /** A video track of another codec; `undefined` for an unknown codec. */
  | { readonly kind: 'other-codec'; readonly codec: string | undefined; readonly framesPerSecond: number | undefined }
  /** A container without video, such as an audio file. */
  | { readonly kind: 'no-video'; readonly format: string; readonly tracks: number; readonly soundTracks: number }
  /** Encrypted pictures (ISO/IEC 23001-7); `scheme`: four characters, such as `cenc`. */
  | { readonly kind: 'encrypted'; readonly scheme: string }
  /** An unknown format, or a file too damaged to read; `late`: cause, when reading took too long. */
  | { readonly kind: 'unknown'; readonly late?: string };

export interface ContainerFile {
  readonly codecName: CodecName;
  readonly framesPerSecond: number | undefined;
  readonly durationSeconds: number | undefined;
  /** True when the file contains data foreign to its format; samples after it may be lost. */
  readonly hasJunk: boolean;
  /** Clockwise rotation to be applied by a player, degrees. */
  readonly rotation: Rotation;
  /** Opens the track from its beginning. `ended` is called when reading ends. */
  open(ended: (end: ContainerEnd) => void): SampleTrack;
  /**
   * Opens the track at the last key frame before this time of the container, seconds, which becomes 0; what is shown before
   * it is `decodeOnly`. `undefined` for a track that can be read from its beginning only.
   */
  readonly openAt: ((from: number) => SampleTrack) | undefined;
}

export interface ContainerEnd {
  /** End of the last picture, seconds from the start of the presentation. */
  readonly seconds: number;
  /** Error message of the reader or of a sample. */
  readonly complaint: string | undefined;
  /** Number of samples with a part that could not be split. */
  readonly damagedSamples: number;
  /** True when the track was read to its end; false when reading was abandoned. */
  readonly wasRead: boolean;
  /** True when samples announced by the file are missing; `undefined` when unknown. */
  readonly isCut: boolean | undefined;
}

/** Codecs that are copied, by mediabunny's names. */
const CODEC_NAMES: Readonly<Partial<Record<string, CodecName>>> = { avc: 'h264', hevc: 'h265', vp9: 'vp9', av1: 'av1' };
/** Parameter sets remembered: more than any stream has. */
const AMENDED_MAX = 64;
const CACHE_BYTES = 4 * 1024 * 1024;
/** Packets used for the mean frame rate. */
const RATE_PACKETS = 120;

// mediabunny would log what it cannot read to the console; the messages here are more specific.
Logging.level = 0;

/** Formats that consist of a single file. A playlist (HLS) would open other files. */
const FORMATS = ALL_FORMATS.filter((format) => format !== HLS);

/** Examines MP4, MOV, Matroska, MPEG-TS and other containers in process (mediabunny). Never throws. */
export async function examineContainer(path: string): Promise<ContainerFinding> {
  let reads = 0;
  const input = openContainerInput(path, [], () => reads++);
  try {
    const finding = await whileWorking({ idleMs: READ_MS_MAX }, () => reads, examine(input, path));
    return 'value' in finding ? finding.value : { kind: 'unknown', late: lateText(finding.lateMs) };
  } catch {
    return { kind: 'unknown' };
  } finally {
    input.dispose();
  }
}

async function examine(input: Input, path: string): Promise<ContainerFinding> {
  const scheme = await readMp4Encryption(path, 'pictures').catch(() => undefined);
  if (scheme !== undefined) return { kind: 'encrypted', scheme };
  const track = (await input.getVideoTracks())[0];
  if (track === undefined) {
    const format = (await input.getFormat()).name;
    const [tracks, sound] = [await input.getTracks(), await input.getAudioTracks()];
    return { kind: 'no-video', format, tracks: tracks.length, soundTracks: sound.length };
  }
  const codec = await track.getCodec();
  const structure = await readMp4Structure(path, track.id).catch(() => undefined);
  const matroska = structure ? undefined : await readMatroskaStructure(path).catch(() => undefined);
  const framesPerSecond = await rateOf(path, track, structure);
  const codecName = codec && CODEC_NAMES[codec];
  if (!codecName) return { kind: 'other-codec', codec: codec ?? undefined, framesPerSecond };
  const end = structure ?? (await input.getDurationFromMetadata([track]).catch(() => null));
  const record = (await track.getDecoderConfig())?.description;
  const configuration = record === undefined ? undefined : bytesOf(record);
  const signal = await signalOf(track);
  const parts = { codecName, record: configuration, signal, structure, isCut: matroska?.isCut };
  return {
    kind: 'copyable',
    file: {
      codecName,
      framesPerSecond,
      durationSeconds: (typeof end === 'object' ? end?.durationSeconds : end) ?? undefined,
      hasJunk: matroska?.hasJunk === true,
      rotation: await track.getRotation().catch(() => 0 as const),
      open: (ended) => openTrack(new TrackReader(path, { ...parts, ended })),
      // Fragments have no index of sync samples.
      openAt: structure?.fragmentDefaults
        ? undefined
        : (from) => openTrack(new TrackReader(path, { ...parts, from, ended: () => {} })),
    },
  };
}

/** Returns the mean frame rate, 1/s, or `undefined` when unknown. In a file with fragments, only these are measured. */
async function rateOf(path: string, track: InputVideoTrack, structure: Mp4Structure | undefined) {
  const patches = structure?.withoutSamples ?? [];
  const input = patches.length === 0 ? undefined : openContainerInput(path, patches);
  try {
    const measured = input === undefined ? track : ((await input.getVideoTracks())[0] ?? track);
    const rate = await measured.computePacketStats(RATE_PACKETS);
    return rate.averagePacketRate > 0 ? rate.averagePacketRate : undefined;
  } catch {
    // With a damaged table only the rate is unknown; the file is still read.
    return undefined;
  } finally {
    input?.dispose();
  }
}

function openTrack(reader: TrackReader): SampleTrack {
  return {
    codec: reader.codec,
    parameterSets: reader.parameterSets,
    samples: reader.read(),
    reorderFrames: undefined,
    samplesAreUnits: false,
    keepsStart: reader.isEdited,
  };
}

/** A sample from any of the readers; times in seconds. */
interface ReadSample {
  readonly data: Uint8Array;
  readonly shownAt: number;
  readonly duration: number;
  readonly decodeOnly: boolean;
  readonly configuration: NalConfiguration | undefined;
}

/** One pass over the track. */
class TrackReader {
  readonly codec: Codec;
  readonly #path: string;
  /** `undefined` for a codec whose parts are NAL units. */
  readonly #frames: FrameStreamFormat | undefined;
  readonly #structure: Mp4Structure | undefined;
  readonly #edits: readonly Edit[];
  readonly #ended: (end: ContainerEnd) => void;
  /** Decoder configurations by sample description; usually one. */
  readonly #configurations: readonly (NalConfiguration | undefined)[];
  readonly #firstRecord: Uint8Array | undefined;
  readonly #signal: VideoSignal;
  /** Sequence parameter sets as they are sent, by those of the file. */
  readonly #amended = new Map<string, Uint8Array>();
  #isCut: boolean | undefined;

  constructor(
    path: string,
    parts: {
      readonly codecName: CodecName;
      readonly record: Uint8Array | undefined;
      /** How pictures are shown, as the container says. */
      readonly signal: VideoSignal;
      readonly structure: Mp4Structure | undefined;
      /** Result of an earlier examination of the whole file; `undefined` when unknown. */
      readonly isCut: boolean | undefined;
      /** Time in the container at which to start, seconds. */
      readonly from?: number;
      readonly ended: (end: ContainerEnd) => void;
    },
  ) {
    const { codecName, record, signal, structure, isCut, from, ended } = parts;
    this.#edits = from === undefined ? (structure?.edits ?? []) : editsFrom(structure?.edits ?? [], from);
    this.#signal = signal;
    this.codec = codecByName(codecName);
    this.#frames = frameStreamOf(this.codec);
    this.#firstRecord = structure?.configurations[0] ?? record;
    this.#isCut = isCut;
    this.#path = path;
    this.#structure = structure;
    this.#ended = ended;
    const several = structure !== undefined && structure.configurations.length > 1;
    this.#configurations = (several ? structure.configurations : [record]).map((each) =>
      configurationOf(this.codec, each),
    );
  }

  /** Parameter sets of the first sample description. */
  get parameterSets(): readonly Uint8Array[] {
    if (this.#frames) return this.#firstRecord ? this.#frames.parameterSetsOf(this.#firstRecord) : [];
    return this.#asShown(this.#configurations[0]?.parameterSets ?? []);
  }

  /** True when edits determine the presentation times. */
  get isEdited(): boolean {
    return this.#edits.length > 0;
  }

  async *read(): AsyncGenerator<Sample> {
    let complaint: string | undefined;
    let damagedSamples = 0;
    let wasRead = false;
    let [start, end] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    let inForce = this.#configurations[0];
    try {
      for await (const { data, shownAt, duration, decodeOnly, configuration } of this.#samples()) {
        const { parts: own, isDamaged } = this.#split(data, configuration);
        if (isDamaged) damagedSamples += 1;
        start = Math.min(start, shownAt);
        end = Math.max(end, shownAt + duration);
        // Some files contain the parameter sets in the samples as well.
        const isInStream =
          this.#frames !== undefined ||
          configuration === inForce ||
          own.some((part) => nalStreamOf(this.codec).isSequenceParameterSet(part));
        const sets = isInStream ? [] : (configuration?.parameterSets ?? []);
        inForce = configuration;
        const parts = sets.length === 0 ? own : [...sets, ...own];
        yield { parts: this.#asShown(parts), timestamp: ticksOf(shownAt), duration: ticksOf(duration), decodeOnly };
      }
      wasRead = true;
    } catch (error) {
      // mediabunny's assertions carry no message; a damaged file causes them.
      const message = error instanceof Error ? error.message : String(error);
      wasRead = true;
      complaint = message.startsWith('Assertion') ? 'its index does not match its contents' : message;
    } finally {
      const seconds = Math.max(0, this.isEdited ? end : end - start);
      this.#ended({ seconds, complaint, damagedSamples, wasRead, isCut: this.#isCut });
    }
  }

  #split(data: Uint8Array, configuration: NalConfiguration | undefined): ReturnType<typeof splitSample> {
    if (!this.#frames) return splitSample(data, configuration?.lengthSize);
    const parts = this.#frames.split(data);
    return { parts, isDamaged: parts.length === 0 };
  }

  /** Returns the parts with what the container says in the sequence parameter sets, so that no container is needed. */
  #asShown(parts: readonly Uint8Array[]): readonly Uint8Array[] {
    if (this.#frames) return parts;
    const format = nalStreamOf(this.codec);
    if (!parts.some(format.isSequenceParameterSet)) return parts;
    return parts.map((part) => {
      if (!format.isSequenceParameterSet(part)) return part;
      const key = part.join();
      let amended = this.#amended.get(key);
      if (!amended) {
        amended = withContainerSignal(this.codec, part, this.#signal);
        if (this.#amended.size < AMENDED_MAX) this.#amended.set(key, amended);
      }
      return amended;
    });
  }

  #samples(): AsyncIterable<ReadSample> {
    return this.#structure === undefined ? this.#plainSamples() : this.#mp4Samples(this.#structure);
  }

  async *#plainSamples(): AsyncGenerator<ReadSample> {
    const input = openContainerInput(this.#path);
    const configuration = this.#configurations[0];
    try {
      const sink = new EncodedPacketSink((await input.getVideoTracks())[0] as InputVideoTrack);
      const read = async function* (from: number) {
        const isWhole = !Number.isFinite(from);
        const start = isWhole ? null : await sink.getKeyPacket(from, { verifyKeyPackets: true }).catch(() => null);
        for await (const { data, timestamp, duration } of packetsOf(sink, start ?? undefined)) {
          yield { data, mediaTime: timestamp, duration };
        }
      };
      for await (const { sample, shownAt, decodeOnly } of applyEdits(this.#edits, read)) {
        yield { data: sample.data, shownAt, duration: sample.duration, decodeOnly, configuration };
      }
    } finally {
      input.dispose();
    }
  }

  async *#mp4Samples(structure: Mp4Structure): AsyncGenerator<ReadSample> {
    const packets = new Mp4Packets(this.#path, structure, (patches) => openContainerInput(this.#path, patches));
    for await (const { sample, shownAt, decodeOnly } of applyEdits(this.#edits, (from) => packets.read(from))) {
      const configuration = this.#configurations[sample.description] ?? this.#configurations[0];
      yield { data: sample.data, shownAt, duration: sample.duration, decodeOnly, configuration };
    }
    this.#isCut = packets.isCut;
  }
}

function configurationOf(codec: Codec, record: Uint8Array | undefined): NalConfiguration | undefined {
  const configuration = record && hasNalUnits(codec) ? nalStreamOf(codec).parseConfiguration(record) : undefined;
  return configuration?.ok === true ? configuration.value : undefined;
}

/**
 * Opens a container of a single file. Never throws.
 * @param patches bytes to read in place of those of the file. @param onRead called before each read.
 */
export function openContainerInput(path: string, patches: readonly Patch[] = [], onRead?: () => void): Input {
  return new Input({ source: fileSource(path, patches, CACHE_BYTES, onRead), formats: FORMATS });
}

/**
 * Splits a sample into NAL units. With a decoder configuration the samples are length-prefixed, but some files contain Annex B anyway.
 */
function splitSample(
  bytes: Uint8Array,
  lengthSize: number | undefined,
): { readonly parts: readonly Uint8Array[]; readonly isDamaged: boolean } {
  if (lengthSize === undefined) return { parts: splitAnnexB(bytes), isDamaged: false };
  const split = splitLengthPrefixed(bytes, lengthSize);
  if (split.malformed === undefined) return { parts: split.nalUnits, isDamaged: false };
  if (startsWithStartCode(bytes)) return { parts: splitAnnexB(bytes), isDamaged: false };
  return { parts: split.nalUnits, isDamaged: true };
}

function startsWithStartCode(bytes: Uint8Array): boolean {
  return bytes[0] === 0 && bytes[1] === 0 && (bytes[2] === 1 || (bytes[2] === 0 && bytes[3] === 1));
}

function bytesOf(source: ArrayBufferLike | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source);
}

const ticksOf = (secondsShown: number): Ticks => ticks(Math.round(secondsShown * CLOCK_RATE));
