import { ALL_FORMATS, EncodedPacketSink, FilePathSource, HLS, Input, type InputVideoTrack, Logging } from 'mediabunny';
import { CLOCK_RATE, type Ticks } from '../../protocol/base/instant.ts';
import { splitAnnexB } from '../../protocol/codec/h264/annex-b.ts';
import { parseDecoderConfiguration, splitLengthPrefixed } from '../../protocol/codec/h264/decoder-configuration.ts';
import { within } from '../os/time-limit.ts';
import type { Sample, SampleTrack } from './sample-units.ts';

/** What the reader finds in a file that it may not even know. */
export type ContainerFinding =
  | { readonly kind: 'h264'; readonly file: ContainerFile }
  /** A video track, but of another codec (`undefined`: one it has no name for). */
  | { readonly kind: 'other-codec'; readonly codec: string | undefined; readonly framesPerSecond: number | undefined }
  /** Audio and the like. */
  | { readonly kind: 'no-video'; readonly format: string; readonly tracks: number }
  /** A format that it doesn't know, or one too damaged. */
  | { readonly kind: 'unknown' };

export interface ContainerFile {
  readonly framesPerSecond: number | undefined;
  readonly durationSeconds: number | undefined;
  /** By how many degrees, clockwise, a player has to turn the pictures. */
  readonly rotation: number;
  /** The track from its beginning, at each call anew. `ended` is told where the samples end. */
  open(ended: (end: ContainerEnd) => void): SampleTrack;
}

export interface ContainerEnd {
  /** Seconds of media that came. */
  readonly seconds: number;
  /** The reader's complaint, or that of the samples. */
  readonly complaint: string | undefined;
  /** Samples of which a part could not be split. */
  readonly damagedSamples: number;
  /** Whether it was read to the end, as opposed to left. */
  readonly wasRead: boolean;
}

/** A disk that does not answer in this time is treated as damage. */
const READ_MS_MAX = 20_000;
const CACHE_BYTES = 4 * 1024 * 1024;
/** Enough for a mean frame rate. */
const RATE_PACKETS = 120;

// It says what it can't read on the console; our own messages say it better.
Logging.level = 0;

/** Formats of a single file. A playlist (HLS) names others, which nobody asked to open. */
const FORMATS = ALL_FORMATS.filter((format) => format !== HLS);

/** Looks into MP4, MOV, Matroska, MPEG-TS and the like, in process (mediabunny). Never throws. */
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
  // A damaged table may spoil the rate and nothing else.
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
      if (next === undefined) throw new Error(`no answer within ${READ_MS_MAX / 1000} s`);
      if (next.value.done === true) {
        wasRead = true;
        break;
      }
      const packet = next.value.value;
      const { nalUnits, isDamaged } = splitSample(packet.data, lengthSize);
      if (isDamaged) damagedSamples += 1;
      start = Math.min(start, packet.timestamp);
      end = Math.max(end, packet.timestamp + packet.duration);
      yield { parts: nalUnits, timestamp: ticks(packet.timestamp), duration: ticks(packet.duration) };
    }
  } catch (error) {
    // Its assertions have no words; a damaged file is what they mean.
    const message = error instanceof Error ? error.message : String(error);
    wasRead = true;
    complaint = message.startsWith('Assertion') ? 'its index does not fit its contents' : message;
  } finally {
    input.dispose();
    ended({ seconds: Math.max(0, end - start), complaint, damagedSamples, wasRead });
  }
}

function openInput(path: string): Input {
  // An error while nobody reads shows again at the next read.
  const source = new FilePathSource(path, { maxCacheSize: CACHE_BYTES, handleUnhandledError: () => {} });
  return new Input({ source, formats: FORMATS });
}

/** Samples are length-prefixed where there is an avcC, but some files have one and Annex B inside all the same. */
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

const ticks = (seconds: number): Ticks => Math.round(seconds * CLOCK_RATE);
