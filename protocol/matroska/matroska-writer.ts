import type { AccessUnit } from '../access-unit.ts';
import { assert } from '../base/assert.ts';
import { concatenated } from '../base/concatenated.ts';
import { CLOCK_RATE, type Ticks, ticks } from '../base/units.ts';
import { ebmlElement, fixedUnsignedElement, floatElement, openElement, textElement, unsignedElement } from './ebml.ts';
import { codecDelayOf, type MatroskaPictures, type MatroskaStream, trackEntry } from './matroska-tracks.ts';

/** Element identifiers (RFC 8794 §11, RFC 9559 §5.1). */
const ID = {
  ebml: 0x1a45dfa3,
  docType: 0x4282,
  docTypeVersion: 0x4287,
  docTypeReadVersion: 0x4285,
  segment: 0x18538067,
  seekHead: 0x114d9b74,
  seek: 0x4dbb,
  seekId: 0x53ab,
  seekPosition: 0x53ac,
  info: 0x1549a966,
  timestampScale: 0x2ad7b1,
  duration: 0x4489,
  muxingApp: 0x4d80,
  writingApp: 0x5741,
  tracks: 0x1654ae6b,
  cluster: 0x1f43b675,
  timestamp: 0xe7,
  simpleBlock: 0xa3,
  cues: 0x1c53bb6b,
  cuePoint: 0xbb,
  cueTime: 0xb3,
  cuePositions: 0xb7,
  cueTrack: 0xf7,
  cueCluster: 0xf1,
  void: 0xec,
} as const;

const CUES_ID = Uint8Array.of(0x1c, 0x53, 0xbb, 0x6b);
/** Length of an element with an identifier of two bytes and data of eight. */
const FLOAT_ELEMENT_BYTES = 11;
/** Nanoseconds in a unit of time: a tenth of a millisecond, half of which is four ticks of 90 kHz. */
const TIMESTAMP_SCALE_NS = 100_000;
const UNITS_PER_SECOND = 1e9 / TIMESTAMP_SCALE_NS;
/** Longest distance of a block from the beginning of its cluster, units, which has 16 bits; at a key frame it is shorter. */
const CLUSTER_UNITS_MAX = 20_000;
/** Blocks may be this far before the beginning of their cluster, units: B-frames, and sound beside them. */
const CLUSTER_UNITS_BEFORE = 10_000;
const FLAG = { key: 0x80, invisible: 0x08, discardable: 0x01 } as const;
const APPLICATION = 'dropframe';
/** Cue points kept: one for each key frame of nine hours, if they are a second apart. */
const CUES_MAX = 32_768;

/**
 * Muxes pictures, sound, or both as Matroska (RFC 9559), block by block. Segment and clusters have no size, so that a file
 * that was never finished is read to its last block. Pictures are in decode order.
 */
export class MatroskaWriter {
  readonly #pictures: MatroskaPictures | undefined;
  readonly #sound: MatroskaStream | undefined;
  /** Added to the times of the sound, units. */
  readonly #soundDelay: number;
  /** Time that becomes 0. */
  readonly #epoch: Ticks;
  /** Bytes since the beginning of the segment's data. */
  #position: number;
  #cluster: number | undefined;
  #end = 0;
  #cuesAt: number | undefined;
  readonly #cues: { readonly time: number; readonly position: number }[] = [];

  /** @param streams.epoch time that becomes 0, before which is nothing. At least one of the streams is there. */
  constructor(streams: {
    readonly pictures?: MatroskaPictures | undefined;
    readonly sound?: MatroskaStream | undefined;
    readonly epoch: Ticks;
  }) {
    const { pictures, sound, epoch } = streams;
    assert(pictures !== undefined || sound !== undefined, 'a Matroska file must have a track');
    for (const stream of [pictures, sound]) {
      assert(!stream || stream.codec.matroska !== undefined, 'the codec must be one that can be muxed into Matroska');
    }
    this.#pictures = pictures;
    this.#sound = sound;
    this.#soundDelay = sound ? codecDelayOf(sound) * UNITS_PER_SECOND : 0;
    this.#epoch = epoch;
    this.#position = this.#segmentHead().length;
  }

  /** Returns the start of the file, of constant length. After `finish` it has the duration, and the place of the cues. */
  header(): Uint8Array {
    const ebml = ebmlElement(
      ID.ebml,
      textElement(ID.docType, 'matroska'),
      unsignedElement(ID.docTypeVersion, 4),
      unsignedElement(ID.docTypeReadVersion, 2),
    );
    return concatenated([ebml, openElement(ID.segment), this.#segmentHead()]);
  }

  /** Returns the block of a picture, behind the beginning of a cluster where one begins. */
  write(unit: AccessUnit): Uint8Array {
    const { codec } = this.#pictures!;
    const isKey = unit.importance === 'key';
    const flags =
      (isKey ? FLAG.key : 0) |
      (unit.importance === 'discardable' ? FLAG.discardable : 0) |
      (unit.decodeOnly === true ? FLAG.invisible : 0);
    return this.#block(PICTURE_TRACK, this.#unitsOf(unit.timestamp), {
      flags,
      data: codec.matroska!.block(unit.parts),
      begins: isKey,
    });
  }

  /** Returns the block of a unit of the sound, on the timeline of the pictures. */
  writeSound(unit: AccessUnit): Uint8Array {
    const { codec } = this.#sound!;
    const time = this.#unitsOf(unit.timestamp) + this.#soundDelay;
    const data = codec.matroska!.block(unit.parts);
    return this.#block(this.#soundTrack, time, { flags: FLAG.key, data, begins: false });
  }

  /** Returns the end of the file: an index of the key frames. The header changes. */
  finish(): Uint8Array {
    this.#cuesAt = this.#position;
    const track = this.#pictures ? PICTURE_TRACK : this.#soundTrack;
    const points = this.#cues.map(({ time, position }) =>
      ebmlElement(
        ID.cuePoint,
        unsignedElement(ID.cueTime, time),
        ebmlElement(ID.cuePositions, unsignedElement(ID.cueTrack, track), unsignedElement(ID.cueCluster, position)),
      ),
    );
    return points.length === 0 ? new Uint8Array(0) : ebmlElement(ID.cues, ...points);
  }

  get #soundTrack(): number {
    return this.#pictures ? PICTURE_TRACK + 1 : PICTURE_TRACK;
  }

  #segmentHead(): Uint8Array {
    const cuesAt = this.#cues.length > 0 ? this.#cuesAt : undefined;
    const seek = ebmlElement(
      ID.seekHead,
      ebmlElement(ID.seek, ebmlElement(ID.seekId, CUES_ID), fixedUnsignedElement(ID.seekPosition, cuesAt ?? 0)),
    );
    const info = ebmlElement(
      ID.info,
      unsignedElement(ID.timestampScale, TIMESTAMP_SCALE_NS),
      textElement(ID.muxingApp, APPLICATION),
      textElement(ID.writingApp, APPLICATION),
      this.#cuesAt === undefined ? voidOf(FLOAT_ELEMENT_BYTES) : floatElement(ID.duration, this.#end),
    );
    const tracks = [
      ...(this.#pictures ? [trackEntry(PICTURE_TRACK, this.#pictures)] : []),
      ...(this.#sound ? [trackEntry(this.#soundTrack, this.#sound)] : []),
    ];
    return concatenated([cuesAt === undefined ? voidOf(seek.length) : seek, info, ebmlElement(ID.tracks, ...tracks)]);
  }

  #block(
    track: number,
    time: number,
    { flags, data, begins }: { readonly flags: number; readonly data: Uint8Array; readonly begins: boolean },
  ): Uint8Array {
    const at = Math.max(0, Math.round(time));
    const distance = this.#cluster === undefined ? Number.POSITIVE_INFINITY : at - this.#cluster;
    const starts = begins || distance > CLUSTER_UNITS_MAX || distance < -CLUSTER_UNITS_BEFORE;
    const parts: Uint8Array[] = [];
    if (starts) {
      const isEntry = begins || !this.#pictures;
      if (isEntry && this.#cues.length < CUES_MAX) this.#cues.push({ time: at, position: this.#position });
      this.#cluster = at;
      parts.push(openElement(ID.cluster), unsignedElement(ID.timestamp, at));
    }
    const relative = at - this.#cluster!;
    const head = Uint8Array.of(0x80 | track, (relative >> 8) & 0xff, relative & 0xff, flags);
    parts.push(ebmlElement(ID.simpleBlock, head, data));
    this.#end = Math.max(this.#end, at);
    const bytes = concatenated(parts);
    this.#position += bytes.length;
    return bytes;
  }

  #unitsOf(timestamp: Ticks): number {
    return (ticks(timestamp - this.#epoch) * UNITS_PER_SECOND) / CLOCK_RATE;
  }
}

const PICTURE_TRACK = 1;

/** Returns a Void element (RFC 8794 §11.3.2) of this length, 2 to 128 bytes. */
const voidOf = (bytes: number): Uint8Array => ebmlElement(ID.void, new Uint8Array(bytes - 2));
