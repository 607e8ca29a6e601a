import type { AccessUnit } from '../../protocol/access-unit.ts';
import { assert } from '../../protocol/base/assert.ts';
import { CLOCK_RATE, type Ticks, ticks } from '../../protocol/base/units.ts';
import type { Codec, Mp4Format, ParameterSetTracker } from '../../protocol/codec/codec.ts';

/** Sample entry (ISO/IEC 14496-12 §8.5.2): the decoder configuration of the samples that refer to it. */
export interface SampleEntry {
  readonly width: number;
  readonly height: number;
  /** Decoder configuration, as `Mp4Format.configuration` makes it. */
  readonly configuration: Uint8Array;
  /** Parameter sets in the configuration. */
  readonly parameterSets: readonly Uint8Array[];
}

/** Sample flags: 0x02000000 depends on no other sample (sync sample); 0x01010000 depends on others. */
const SYNC_SAMPLE = 0x02000000;
const OTHER_SAMPLE = 0x01010000;
const TRACK_ID = 1;
/** trun flags: data offset, then per sample duration, size, flags and composition offset (§8.8.8). */
const RUN_FLAGS = 0x000f01;
const IDENTITY_MATRIX = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000];

/**
 * Free bytes after the header, into which it can grow: about eighty sample entries. Beyond them, new parameter sets are
 * written to the samples only.
 */
const HEADER_ROOM_BYTES = 16_384;
const FREE_BYTES_MIN = 8;

/**
 * Writes a fragmented MP4 (ISO/IEC 14496-12 §8.8) of one track of pictures on the 90 kHz clock. Fragments do not wait for
 * key frames, so time bounds the memory and the loss in a crash for every stream. The first picture is at 0; gaps and
 * B-frames keep their spacing (composition offsets are signed).
 *
 * Changed parameter sets start a new sample entry. They are also written to the samples, for players that support only
 * one entry (ffmpeg 5, in fragments). Active parameter sets are not repeated.
 */
export class FragmentedMp4Writer {
  readonly #codec: Codec;
  readonly #format: Mp4Format;
  readonly #entries: SampleEntry[];
  readonly #headerBytes: number;
  #entry = 0;
  #sequence = 0;
  #epoch: { readonly decode: Ticks; readonly shown: Ticks } | undefined;
  /** Active parameter sets of a decoder that has read the first entry and all samples so far. */
  readonly #inForce: ParameterSetTracker;
  /** Media time of the first picture shown, 90 kHz; 0 when no earlier picture is decode-only. */
  #shownFrom: Ticks = ticks(0);
  #hasShown = false;

  constructor(codec: Codec, entry: SampleEntry) {
    assert(codec.mp4 !== undefined, 'the codec must be one that can be muxed into MP4');
    this.#codec = codec;
    this.#format = codec.mp4;
    this.#inForce = codec.trackParameterSets();
    this.#entries = [entry];
    for (const set of entry.parameterSets) this.#inForce.add(set);
    this.#headerBytes = this.#movie().length + HEADER_ROOM_BYTES;
  }

  /** Returns the start of the file (`ftyp`, `moov`, `free`), of constant length. Depends on entries and `shownFrom`. */
  header(): Uint8Array {
    const movieBytes = this.#movie();
    return Buffer.concat([movieBytes, box('free', zeros(this.#headerBytes - movieBytes.length - FREE_BYTES_MIN))]);
  }

  /** Selects the sample entry of the next fragments, adding it if new. @returns true when it was added. */
  use(entry: SampleEntry): boolean {
    const known = this.#entries.findIndex((each) => equal(each.configuration, entry.configuration));
    if (known !== -1) {
      this.#entry = known;
      return false;
    }
    this.#entries.push(entry);
    if (this.#movie().length + FREE_BYTES_MIN > this.#headerBytes) {
      this.#entries.pop();
      return false;
    }
    this.#entry = this.#entries.length - 1;
    return true;
  }

  /** Media time of the first picture shown, 90 kHz; above 0 when earlier pictures are decode-only. */
  get shownFrom(): Ticks {
    return this.#shownFrom;
  }

  #movie(): Uint8Array {
    const brands = box(
      'ftyp',
      ascii('iso6'),
      uint32(512),
      ascii('iso6'),
      ascii('mp41'),
      ascii(this.#format.sampleEntry),
    );
    const entries = this.#entries.map((entry) => sampleEntry(entry, this.#format));
    return Buffer.concat([brands, movie(entries, this.#entries[0]!, this.#shownFrom)]);
  }

  /**
   * Returns `moof` and `mdat` for one or more access units.
   * @param nextDecodeTimestamp decode timestamp of the following unit; an estimate at the end of the stream.
   */
  fragment(units: readonly AccessUnit[], nextDecodeTimestamp: Ticks): Uint8Array {
    const first = units[0] as AccessUnit;
    this.#epoch ??= { decode: first.decodeTimestamp, shown: first.timestamp };
    const { decode, shown } = this.#epoch;
    this.#noteShown(units, shown);
    // Active parameter sets of a decoder that starts at this fragment.
    const inForce = this.#codec.trackParameterSets();
    for (const set of this.#entries[this.#entry]!.parameterSets) inForce.add(set);
    const samples = units.map((unit) => this.#sample(unit, inForce));
    const entries = units.map((unit, index) => {
      const next = units[index + 1]?.decodeTimestamp ?? nextDecodeTimestamp;
      return [
        uint32(Math.max(0, next - unit.decodeTimestamp)),
        uint32((samples[index] as Uint8Array).length),
        uint32(unit.importance === 'key' ? SYNC_SAMPLE : OTHER_SAMPLE),
        uint32(unit.timestamp - shown - (unit.decodeTimestamp - decode)),
      ];
    });
    this.#sequence += 1;
    const moof = (dataOffset: number): Uint8Array =>
      box(
        'moof',
        fullBox('mfhd', 0, 0, uint32(this.#sequence)),
        box(
          'traf',
          // default-base-is-moof, sample-description-index-present
          fullBox('tfhd', 0, 0x020002, uint32(TRACK_ID), uint32(this.#entry + 1)),
          fullBox('tfdt', 1, 0, uint64(first.decodeTimestamp - decode)),
          fullBox('trun', 1, RUN_FLAGS, uint32(units.length), uint32(dataOffset), ...entries.flat()),
        ),
      );
    const mdat = box('mdat', ...samples);
    return Buffer.concat([moof(moof(0).length + 8), mdat]);
  }

  #sample(unit: AccessUnit, inForce: ParameterSetTracker): Uint8Array {
    const sets = this.#codec.parameterSetsOf(unit.parts);
    // Write all or none: at a new sequence parameter set, ffmpeg discards the picture parameter sets that refer to it.
    const areKnown = sets.every((set) => inForce.holds(set) && this.#inForce.holds(set));
    for (const set of sets) {
      inForce.add(set);
      this.#inForce.add(set);
    }
    return this.#format.sample(areKnown ? unit.parts.filter((part) => !sets.includes(part)) : unit.parts);
  }

  #noteShown(units: readonly AccessUnit[], epoch: Ticks): void {
    if (this.#hasShown) return;
    const shown = units.filter((unit) => unit.decodeOnly !== true);
    if (shown.length === 0) return;
    this.#hasShown = true;
    const isTrimmed = this.#sequence > 0 || shown.length < units.length;
    if (isTrimmed) {
      this.#shownFrom = ticks(Math.max(0, Math.min(...shown.map((unit) => unit.timestamp)) - epoch));
    }
  }
}

/** Returns the movie box (§8.2.1 moov to §8.5.2 stsd) of a track with all samples in fragments. */
function movie(entries: readonly Uint8Array[], { width, height }: SampleEntry, shownFrom: Ticks): Uint8Array {
  const matrix = IDENTITY_MATRIX.map(uint32);
  const none = uint32(0);
  const table = box(
    'stbl',
    fullBox('stsd', 0, 0, uint32(entries.length), ...entries),
    ...[fullBox('stts', 0, 0, none), fullBox('stsc', 0, 0, none)],
    ...[fullBox('stsz', 0, 0, none, none), fullBox('stco', 0, 0, none)],
  );
  const media = box(
    'mdia',
    fullBox('mdhd', 0, 0, none, none, uint32(CLOCK_RATE), none, uint16(0x55c4), uint16(0)),
    fullBox('hdlr', 0, 0, none, ascii('vide'), zeros(12), ascii('video\0')),
    box(
      'minf',
      fullBox('vmhd', 0, 1, zeros(8)),
      box('dinf', fullBox('dref', 0, 0, uint32(1), fullBox('url ', 0, 1))),
      table,
    ),
  );
  const trackHeader = fullBox(
    'tkhd',
    0,
    3,
    ...[none, none, uint32(TRACK_ID), none, none, zeros(16), ...matrix],
    ...[uint32(width * 0x10000), uint32(height * 0x10000)],
  );
  const movieHeader = [uint32(1000), none, uint32(0x10000), uint16(0x100), zeros(10), ...matrix, zeros(24)];
  return box(
    'moov',
    fullBox('mvhd', 0, 0, none, none, ...movieHeader, uint32(TRACK_ID + 1)),
    box('trak', trackHeader, ...(shownFrom > 0 ? [editList(shownFrom)] : []), media),
    box('mvex', fullBox('trex', 0, 0, uint32(TRACK_ID), uint32(1), none, none, none)),
  );
}

/** Returns a VisualSampleEntry (§12.1.3). */
function sampleEntry({ width, height, configuration }: SampleEntry, format: Mp4Format): Uint8Array {
  return box(
    format.sampleEntry,
    ...[zeros(6), uint16(1), zeros(16), uint16(width), uint16(height)],
    // 72 dpi both ways, one frame a sample, no compressor name, 24 bits, no color table.
    ...[uint32(0x480000), uint32(0x480000), uint32(0), uint16(1), zeros(32), uint16(24), uint16(0xffff)],
    box(format.configurationBox, configuration),
  );
}

/** Returns an edit list (§8.6.6) with one edit from this media time. A duration of 0 covers all fragments. */
function editList(mediaTime: Ticks): Uint8Array {
  return box('edts', fullBox('elst', 0, 0, uint32(1), uint32(0), uint32(mediaTime), uint32(0x10000)));
}

function box(type: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 8);
  return Buffer.concat([uint32(length), ascii(type), ...parts]);
}

function fullBox(type: string, version: number, flags: number, ...parts: readonly Uint8Array[]): Uint8Array {
  return box(type, uint32(version * 0x1000000 + flags), ...parts);
}

const ascii = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const zeros = (count: number): Uint8Array => new Uint8Array(count);
const uint16 = (value: number): Uint8Array => Uint8Array.of((value >> 8) & 0xff, value & 0xff);
/** Serializes a value as big-endian; negative values in two's complement. */
const uint32 = (value: number): Uint8Array =>
  Uint8Array.of((value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
const uint64 = (value: number): Uint8Array =>
  Buffer.concat([uint32(Math.floor(value / 0x100000000)), uint32(value % 0x100000000)]);

function equal(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
