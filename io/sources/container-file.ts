import { ALL_FORMATS, EncodedPacketSink, FilePathSource, HLS, Input, type InputVideoTrack, Logging } from 'mediabunny';
import { CLOCK_RATE, type Ticks, ticks } from '../../protocol/base/units.ts';
import { splitAnnexB } from '../../protocol/codec/h264/annex-b.ts';
import { parseDecoderConfiguration, splitLengthPrefixed } from '../../protocol/codec/h264/decoder-configuration.ts';
import { within } from '../os/time-limit.ts';
import type { Sample, SampleTrack } from './sample-units.ts';

/** Result of examining a file of any kind. */
export type ContainerFinding =
  | { readonly kind: 'h264'; readonly file: ContainerFile }
  /** A video track of another codec; `undefined` for an unknown codec. */
  | { readonly kind: 'other-codec'; readonly codec: string | undefined; readonly framesPerSecond: number | undefined }
  /** A container without video, such as an audio file. */
  | { readonly kind: 'no-video'; readonly format: string; readonly tracks: number }
  /** An unknown format, or a file too damaged to read. */
  | { readonly kind: 'unknown' };

export interface ContainerFile {
  readonly framesPerSecond: number | undefined;
  readonly durationSeconds: number | undefined;
  /** Clockwise rotation that a player has to apply, degrees. */
  readonly rotation: number;
  /** Opens the track from its beginning. `ended` is called where the samples end. */
  open(ended: (end: ContainerEnd) => void): SampleTrack;
}

export interface ContainerEnd {
  /** Duration of the media read, seconds. */
  readonly seconds: number;
  /** Error message of the reader or of a sample. */
  readonly complaint: string | undefined;
  /** Number of samples with a part that could not be split. */
  readonly damagedSamples: number;
  /** True when it was read to the end, false when it was abandoned. */
  readonly wasRead: boolean;
}

/** Time limit of a read, milliseconds; beyond it the file counts as damaged. */
const READ_MS_MAX = 20_000;
const CACHE_BYTES = 4 * 1024 * 1024;
/** Packets used for the mean frame rate. */
const RATE_PACKETS = 120;

// mediabunny would log what it cannot read to the console; the messages here are more specific.
Logging.level = 0;

/** Formats that consist of a single file. A playlist (HLS) would open other files. */
const FORMATS = ALL_FORMATS.filter((format) => format !== HLS);

/** Examines MP4, MOV, Matroska, MPEG-TS and other containers in process (mediabunny). Never throws. */
export async function examineContainer(path: string): Promise<ContainerFinding> {
  const input = openInput(path);
  try {
    const finding = await within(READ_MS_MAX, examine(input, path));
    return finding?.value ?? { kind: 'unknown' };
  } catch {
    return { kind: 'unknown' };
  } finally {
    input.dispose();
  }
}

async function examine(input: Input, path: string): Promise<ContainerFinding> {
  const track = (await input.getVideoTracks())[0];
  if (track === undefined) {
    const format = (await input.getFormat()).name;
    return { kind: 'no-video', format, tracks: (await input.getTracks()).length };
  }
  const codec = await track.getCodec();
  // A damaged table may affect only the rate.
  const rate = await track.computePacketStats(RATE_PACKETS).catch(() => undefined);
  const framesPerSecond = rate && rate.averagePacketRate > 0 ? rate.averagePacketRate : undefined;
  if (codec !== 'avc') return { kind: 'other-codec', codec: codec ?? undefined, framesPerSecond };
  const end = await input.getDurationFromMetadata([track]).catch(() => null);
  const durationSeconds = end ?? undefined;
  const record = (await track.getDecoderConfig())?.description;
  const configuration = record === undefined ? undefined : bytesOf(record);
  return {
    kind: 'h264',
    file: {
      framesPerSecond,
      durationSeconds,
      rotation: await track.getRotation().catch(() => 0),
      open: (ended) => openTrack(path, configuration, ended),
    },
  };
}

function openTrack(path: string, record: Uint8Array | undefined, ended: (end: ContainerEnd) => void): SampleTrack {
  const configuration = record && parseDecoderConfiguration(record);
  const known = configuration?.ok === true ? configuration.value : undefined;
  return {
    parameterSets: known === undefined ? [] : [...known.sequenceParameterSets, ...known.pictureParameterSets],
    samples: readSamples(path, known?.lengthSize, ended),
    reorderFrames: undefined,
    samplesAreUnits: false,
  };
}

async function* readSamples(
  path: string,
  lengthSize: number | undefined,
  ended: (end: ContainerEnd) => void,
): AsyncGenerator<Sample> {
  const input = openInput(path);
  let complaint: string | undefined;
  let damagedSamples = 0;
  let wasRead = false;
  let [start, end] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  try {
    const track = (await input.getVideoTracks())[0] as InputVideoTrack;
    const packets = new EncodedPacketSink(track).packets();
    while (true) {
      const next = await within(READ_MS_MAX, packets.next());
      if (next === undefined) throw new Error(`timeout: no answer within ${READ_MS_MAX / 1000} s`);
      if (next.value.done === true) {
        wasRead = true;
        break;
      }
      const packet = next.value.value;
      const { nalUnits, isDamaged } = splitSample(packet.data, lengthSize);
      if (isDamaged) damagedSamples += 1;
      start = Math.min(start, packet.timestamp);
      end = Math.max(end, packet.timestamp + packet.duration);
      yield { parts: nalUnits, timestamp: ticksOf(packet.timestamp), duration: ticksOf(packet.duration) };
    }
  } catch (error) {
    // mediabunny's assertions carry no message; a damaged file causes them.
    const message = error instanceof Error ? error.message : String(error);
    wasRead = true;
    complaint = message.startsWith('Assertion') ? 'its index does not match its contents' : message;
  } finally {
    input.dispose();
    ended({ seconds: Math.max(0, end - start), complaint, damagedSamples, wasRead });
  }
}

function openInput(path: string): Input {
  // An error that occurs while nobody reads is raised again by the next read.
  const source = new FilePathSource(path, { maxCacheSize: CACHE_BYTES, handleUnhandledError: () => {} });
  return new Input({ source, formats: FORMATS });
}

/**
 * Splits a sample into NAL units. With an avcC the samples are length-prefixed, but some files contain Annex B anyway.
 */
function splitSample(
  bytes: Uint8Array,
  lengthSize: number | undefined,
): { readonly nalUnits: readonly Uint8Array[]; readonly isDamaged: boolean } {
  if (lengthSize === undefined) return { nalUnits: splitAnnexB(bytes), isDamaged: false };
  const split = splitLengthPrefixed(bytes, lengthSize);
  if (split.malformed === undefined) return { nalUnits: split.nalUnits, isDamaged: false };
  if (startsWithStartCode(bytes)) return { nalUnits: splitAnnexB(bytes), isDamaged: false };
  return { nalUnits: split.nalUnits, isDamaged: true };
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
