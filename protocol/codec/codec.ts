import type { Importance } from '../access-unit.ts';
import type { Parsed } from '../base/parsed.ts';

/**
 * Everything that dropframe has to know of a codec. Sender, receiver, simulator and sessions work with access units,
 * payloads and importance; they meet a codec here and nowhere else. A further codec is one folder beside `h264/` and
 * one line in `codecs.ts`.
 *
 * A codec keeps no state: what a stream has told so far is in its `ParameterSetTracker`.
 */
export interface Codec {
  /** The RTP payload format's name (RFC 4855), in lower case: `h264`, `h265`, `av1`, `opus`. */
  readonly name: string;
  readonly mediaType: MediaType;
  /** Ticks a second of its RTP timestamps: 90,000 for video. */
  readonly clockRate: number;

  /**
   * The RTP payloads of one access unit, in order.
   * @returns one array `[headroom | payload]` a packet; the headroom is zero.
   */
  packetize(parts: readonly Uint8Array[], options: PacketizeOptions): Uint8Array[];

  /** The parts of one complete access unit from its payloads in order; or why they are none. */
  depacketize(payloads: readonly PayloadRange[]): Parsed<PackedParts>;

  /** True when the bytes can be a payload of this codec: how a stream without a description is recognized. */
  recognizes(payload: Uint8Array): boolean;

  /** True when an access unit can begin with this payload. It is asked where the packets before it are missing. */
  startsFrame(payload: Uint8Array): boolean;

  /** Importance of a complete access unit whose sender has not said it, from its payloads in order. */
  importanceOf(payloads: readonly Uint8Array[]): ObservedImportance;

  /** What a decoder gets that starts at this key frame, from its parts. */
  entryOf(parts: readonly Uint8Array[]): Entry;

  /** A new, empty memory for one stream's parameter sets. */
  trackParameterSets(): ParameterSetTracker;

  /**
   * The parts of a key frame with those of `sets` that it lacks, so that a decoder can join there.
   * @param joinable true to treat it as a key frame; by default when its parts say so.
   */
  withParameterSets(
    parts: readonly Uint8Array[],
    sets: readonly Uint8Array[],
    joinable?: boolean,
  ): readonly Uint8Array[];

  /** The format of the pictures that these parameter sets announce; `undefined` when they do not tell. */
  describe(sets: readonly Uint8Array[]): VideoFormat | undefined;

  /** A part for simulations, of one repeated byte: it travels as a real picture's would, and no decoder takes it. */
  syntheticPart(options: { readonly key: boolean; readonly bytes: number; readonly filling: number }): Uint8Array;
}

export type MediaType = 'video' | 'audio';

export interface PacketizeOptions {
  /** Longest payload, 16 to 65,535 bytes; the RTP header is not counted. */
  readonly payloadBytesMax: number;
  /** Free bytes in front of each payload, for the headers of the layers below. */
  readonly headroomBytes: number;
  /** Gives so many fresh zeroed bytes; a new buffer each by default. */
  readonly allocate?: (bytes: number) => Uint8Array;
}

/** A payload that lies in a datagram, or elsewhere, from `payloadAt` to before `payloadEnd`. */
export interface PayloadRange {
  readonly bytes: Uint8Array;
  readonly payloadAt: number;
  readonly payloadEnd: number;
}

/** The parts of an access unit, assembled on the first access: not every run that counts frames reads them. */
export interface PackedParts {
  readonly count: number;
  /** Length of all parts together, known without assembling them. */
  readonly bytes: number;
  /** The same array at each access. */
  readonly parts: Uint8Array[];
}

/** Importance read from payloads. `intra`: a key frame only in a stream that has no better ones. */
export type ObservedImportance = Importance | 'intra';

/** A key frame as the beginning of decoding. */
export interface Entry {
  /** So many frames later, of those that others refer to, pictures are right; 0: at once. */
  readonly recoveryFrames: number;
  /** False when nothing in the stream says that decoding can start there. */
  readonly isSafe: boolean;
}

/** The latest parameter sets of one stream, for a decoder that joins later. */
export interface ParameterSetTracker {
  /** Takes any part, and keeps a copy when it is a parameter set. */
  add(part: Uint8Array): void;
  /** In the order in which a decoder wants them. */
  sets(): Uint8Array[];
}

export interface VideoFormat {
  /** For MIME types and WebCodecs (RFC 6381): `avc1.64001f`. */
  readonly decoder: string;
  /** Luma samples after cropping. */
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number | undefined;
  /** The set that says so. Another one announces other pictures. */
  readonly parameterSet: Uint8Array;
}
