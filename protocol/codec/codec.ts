import type { Importance } from '../access-unit.ts';
import type { Parsed } from '../base/parsed.ts';
import type { VideoSignal } from './nal/video-signal.ts';

/**
 * Interface to a codec. Sender, receiver, simulator and sessions work with access units, payloads and importance, and
 * have no other knowledge of codecs. Adding a codec takes a folder next to `h264/` and a line in `codecs.ts`;
 * docs/ARCHITECTURE.md lists the other places that know H.264.
 *
 * A codec is stateless: the state of a stream is in its `ParameterSetTracker`.
 */
export interface Codec {
  /** Name of the RTP payload format (RFC 4855), in lower case: `h264`, `h265`, `av1`, `opus`. */
  readonly name: string;
  readonly mediaType: MediaType;
  /** RTP clock rate, ticks per second: 90,000 for video. */
  readonly clockRate: number;
  /** True when each stream has a clock rate of its own, which is its sampling rate. */
  readonly clockRateVaries?: true;
  /**
   * Returns the length of the longest part that payloads of up to `payloadBytesMax` bytes can carry; absent when the
   * format carries a part of any length. `packetize` must not be given a longer one.
   */
  partBytesMax?(payloadBytesMax: number): number;

  /**
   * Splits one access unit into RTP payloads, in order.
   * @returns one array `[headroom | payload]` per packet; the headroom is zeroed.
   */
  packetize(parts: readonly Uint8Array[], options: PacketizeOptions): Uint8Array[];

  /** Reassembles the parts of a complete access unit from its payloads in order, or returns why they are malformed. */
  depacketize(payloads: readonly PayloadRange[]): Parsed<PackedParts>;

  /** True when the bytes can be a payload of this codec; used to recognize a stream without a description. */
  recognizes(payload: Uint8Array): boolean;

  /** True when an access unit can begin with this payload; used when the packets before it are missing. */
  startsFrame(payload: Uint8Array): boolean;

  /**
   * Determines the importance of a complete access unit from its payloads in order, for streams without frame marks.
   */
  importanceOf(payloads: readonly Uint8Array[]): ObservedImportance;

  /** Returns the quality of this key frame as a random access point, from its parts. */
  entryOf(parts: readonly Uint8Array[]): Entry;

  /**
   * True when this access unit, which follows a key frame, refers to pictures before that key frame, so that a decoder
   * that starts there cannot decode it. `undefined` when the codec has no mark for such pictures.
   */
  refersBeforeEntry?(parts: readonly Uint8Array[]): boolean;

  /** Creates an empty tracker for a stream's parameter sets. */
  trackParameterSets(): ParameterSetTracker;

  /**
   * Returns the parts of a key frame, with the parameter sets of `sets` that it lacks, so that a decoder can join
   * there.
   * @param joinable true to treat it as a key frame; determined from its parts by default.
   */
  withParameterSets(
    parts: readonly Uint8Array[],
    sets: readonly Uint8Array[],
    joinable?: boolean,
  ): readonly Uint8Array[];

  /** Returns the picture format announced by these parameter sets; `undefined` when they do not contain it. */
  describe(sets: readonly Uint8Array[]): VideoFormat | undefined;

  /** True when these parameter sets announce pictures that are decoded in another order than shown; absent: never. */
  reorders?(sets: readonly Uint8Array[]): boolean;

  /** True when these parameter sets announce other pictures than 8-bit 4:2:0; absent: not known. */
  exceedsBaseFormat?(sets: readonly Uint8Array[]): boolean;

  /** Returns the parameter sets among these parts, in the order in which a decoder needs them. */
  parameterSetsOf(parts: readonly Uint8Array[]): Uint8Array[];

  /** Properties of sound; `undefined` for video. */
  readonly sound?: SoundTraits;

  /** The payload format in a session description; `undefined` when the codec cannot be announced by one. */
  readonly session?: SessionFormat;
  /** The stream without a container, in files and pipes; `undefined` when there is no such form. */
  readonly byteStream?: ByteStreamFormat;
  /** The stream in MPEG-TS; `undefined` when it cannot be muxed. */
  readonly transportStream?: TransportStreamFormat;
  /** The stream in MP4; `undefined` when it cannot be muxed. */
  readonly mp4?: Mp4Format;
  /** The stream in Matroska; `undefined` when it cannot be muxed. */
  readonly matroska?: MatroskaFormat;

  /** Makes a part of one repeated byte for simulations. It packetizes like a real picture, but cannot be decoded. */
  syntheticPart(options: { readonly key: boolean; readonly bytes: number; readonly filling: number }): Uint8Array;
}

/** Payload format of a codec in a session description (RFC 8866). */
export interface SessionFormat {
  /** Encoding name of `a=rtpmap`: `H264`. */
  readonly encodingName: string;
  /** Returns the number of channels that `a=rtpmap` names; absent for video, where it names none. */
  channels?(sets: readonly Uint8Array[]): number;
  /** Returns the parameters of `a=fmtp`; empty when there are none. */
  formatParameters(sets: readonly Uint8Array[]): readonly string[];
  /**
   * Reads the parameter sets from the parameters of `a=fmtp`, as `name=value`, of which any may be unknown.
   * @returns `undefined` when they are present but invalid.
   */
  parameterSetsIn(parameters: readonly string[]): Uint8Array[] | undefined;
}

/** Stream of a codec without a container, as demuxers of raw streams read it. */
export interface ByteStreamFormat {
  /** Endings of files, the usual one first: `.h264`. */
  readonly extensions: readonly string[];
  /** FFmpeg's name of the format. */
  readonly demuxer: string;
  write(parts: readonly Uint8Array[]): Uint8Array;
  /**
   * Writes an access unit for a player that emits it at once, not at the start of the next one, and that can tell the
   * pictures that are decoded and not shown by `shownOnly`.
   */
  writeForPlayer(parts: readonly Uint8Array[], shown: boolean): Uint8Array;
  /** FFmpeg filter that lets through the pictures written as `shown`. */
  readonly shownOnly: string;
}

/** Elementary stream of a codec in MPEG-TS (ISO/IEC 13818-1). */
export interface TransportStreamFormat {
  /** Stream type of the program map (table 2-34). */
  readonly streamType: number;
  /** Stream identifier of its PES packets (table 2-22); 0xe0, the first of video, by default. */
  readonly streamId?: number;
  /** Returns the descriptors in the program map; none by default. */
  descriptors?(sets: readonly Uint8Array[]): readonly number[];
  /** Returns the payload of an access unit's PES packet. */
  write(parts: readonly Uint8Array[], sets?: readonly Uint8Array[]): Uint8Array;
}

/** Samples of a codec in MP4 (ISO/IEC 14496-12), in a track of pictures or of sound. */
export interface Mp4Format {
  /** Four characters: the type of the sample entry, which is a brand too, such as `avc1`. */
  readonly sampleEntry: string;
  /** Four characters: the box in the sample entry with the decoder configuration, such as `avcC`. */
  readonly configurationBox: string;
  /**
   * Returns the decoder configuration of these parameter sets, of which the first is in force; `undefined` when they are
   * not sufficient, or too many.
   */
  configuration(sets: readonly Uint8Array[]): Uint8Array | undefined;
  /** True when samples keep the parameter sets that the configuration has: decoders read them only there. */
  readonly keepsParameterSets?: true;
  /** Returns the bytes of a sample. */
  sample(parts: readonly Uint8Array[]): Uint8Array;
}

/** Blocks of a codec in Matroska (RFC 9559; "Codec Mappings"). */
export interface MatroskaFormat {
  /** Codec ID: `V_MPEG4/ISO/AVC`. */
  readonly codecId: string;
  /** Returns the CodecPrivate of these parameter sets, of which the first is in force; `undefined` when there is none. */
  codecPrivate(sets: readonly Uint8Array[]): Uint8Array | undefined;
  /** Returns the data of a block. */
  block(parts: readonly Uint8Array[]): Uint8Array;
}

/** Properties of a codec of sound, whose parameter sets are outside of its access units. */
export interface SoundTraits {
  /** True when a packet is a whole access unit, whose end needs no mark. */
  readonly unitsArePackets?: true;
  /** Returns the format announced by these parameter sets; `undefined` when they do not contain it. */
  describe(sets: readonly Uint8Array[]): SoundFormat | undefined;
  /** Returns the duration of an access unit, 90 kHz, possibly a fraction; 0 when unknown. */
  durationOf(parts: readonly Uint8Array[], sets: readonly Uint8Array[]): number;
  /** Returns the parts of an access unit of silence, as long as this one; `undefined` where they cannot be made. */
  silence(parts: readonly Uint8Array[], sets: readonly Uint8Array[]): readonly Uint8Array[] | undefined;
}

/** Sound format announced by parameter sets. */
export interface SoundFormat {
  /** RFC 6381 string for MIME types and WebCodecs: `opus`, `mp4a.40.2`. */
  readonly decoder: string;
  /** Samples per second of each channel. */
  readonly sampleRate: number;
  readonly channels: number;
}

/** Kind of media that a codec carries. */
export type MediaType = 'video' | 'audio';

/** Bounds of the payloads that a codec makes. */
export interface PacketizeOptions {
  /** Longest payload, 16 to 65,535 bytes, without the RTP header. */
  readonly payloadBytesMax: number;
  /** Free bytes in front of each payload, for the headers of lower layers. */
  readonly headroomBytes: number;
  /** Returns zeroed bytes; allocates a new buffer for each call by default. */
  readonly allocate?: (bytes: number) => Uint8Array;
}

/** A payload within a larger buffer, from `payloadAt` up to, but not including, `payloadEnd`. */
export interface PayloadRange {
  readonly bytes: Uint8Array;
  readonly payloadAt: number;
  readonly payloadEnd: number;
}

/** The parts of an access unit, assembled on first access: runs that only count frames never read them. */
export interface PackedParts {
  readonly count: number;
  /** Total length of all parts, known without assembling them. */
  readonly bytes: number;
  /** Returns the same array at each access. */
  readonly parts: Uint8Array[];
}

/** Importance read from payloads. `intra`: a key frame only when the stream has no better ones. */
export type ObservedImportance = Importance | 'intra';

/** Quality of a key frame as a random access point. */
export interface Entry {
  /** Reference frames until pictures are correct; 0: at once. */
  readonly recoveryFrames: number;
  /** False when nothing in the stream declares that decoding can start there. */
  readonly isSafe: boolean;
}

/** The latest parameter sets of one stream, for a decoder that joins later. */
export interface ParameterSetTracker {
  /** Accepts any part, and keeps a copy of a parameter set. */
  add(part: Uint8Array): void;
  /** Returns the sets in the order in which a decoder needs them. */
  sets(): Uint8Array[];
  /** True when an identical set is already in force. */
  holds(part: Uint8Array): boolean;
}

/** Picture format announced by parameter sets. */
export interface VideoFormat {
  /** RFC 6381 string for MIME types and WebCodecs: `avc1.64001f`. */
  readonly decoder: string;
  /** Luma samples after cropping. */
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number | undefined;
  /** How pictures are shown: sample aspect ratio and colors, as far as the parameter sets say. */
  readonly signal?: VideoSignal;
  /** Parameter set with this format. A different set announces a different format. */
  readonly parameterSet: Uint8Array;
}
