import type { AccessUnit } from '../../protocol/access-unit.ts';
import { CLOCK_RATE, type Ticks } from '../../protocol/base/units.ts';

/** Properties of the single track, for the header of the file. */
export interface Mp4Track {
  readonly width: number;
  readonly height: number;
  /** AVCDecoderConfigurationRecord with length prefixes of four bytes (ISO/IEC 14496-15 §5.3.3.1). */
  readonly configuration: Uint8Array;
}

/** Sample flags: 0x02000000 depends on no other sample (sync sample); 0x01010000 depends on others. */
const SYNC_SAMPLE = 0x02000000;
const OTHER_SAMPLE = 0x01010000;
const TRACK_ID = 1;
/** trun flags: data offset, then per sample duration, size, flags and composition offset (§8.8.8). */
const RUN_FLAGS = 0x000f01;
const IDENTITY_MATRIX = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000];

/**
 * Writer of a fragmented MP4 (ISO/IEC 14496-12 §8.8) with one H.264 track on the 90 kHz clock. Fragments are limited by
 * time, not by key frames, which bounds the memory and the loss after a crash. The first picture is at time 0; gaps and
 * B-frames keep their distances (composition offsets are signed).
 */
export class FragmentedMp4Writer {
  readonly #track: Mp4Track;
  readonly #parameterSets: readonly Uint8Array[];
  #sequence = 0;
  #epoch: { readonly decode: Ticks; readonly shown: Ticks } | undefined;

  /** @param parameterSets parameter sets of the configuration, which are left out of the samples. */
  constructor(track: Mp4Track, parameterSets: readonly Uint8Array[]) {
    this.#track = track;
    this.#parameterSets = parameterSets;
  }

  /** Returns the start of the file: `ftyp` and `moov`. */
  header(): Uint8Array {
    const brands = box('ftyp', ascii('iso6'), uint32(512), ascii('iso6'), ascii('mp41'), ascii('avc1'));
    return Buffer.concat([brands, movie(this.#track)]);
  }

  /**
   * Returns `moof` and `mdat` for one or more access units.
   * @param nextDecodeTimestamp decode timestamp of the following unit; an estimate at the end of the stream.
   */
  fragment(units: readonly AccessUnit[], nextDecodeTimestamp: Ticks): Uint8Array {
    const first = units[0] as AccessUnit;
    this.#epoch ??= { decode: first.decodeTimestamp, shown: first.timestamp };
    const { decode, shown } = this.#epoch;
    const samples = units.map((unit) => this.#sample(unit));
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
          // default-base-is-moof
          fullBox('tfhd', 0, 0x020000, uint32(TRACK_ID)),
          fullBox('tfdt', 1, 0, uint64(first.decodeTimestamp - decode)),
          fullBox('trun', 1, RUN_FLAGS, uint32(units.length), uint32(dataOffset), ...entries.flat()),
        ),
      );
    const mdat = box('mdat', ...samples);
    return Buffer.concat([moof(moof(0).length + 8), mdat]);
  }

  #sample(unit: AccessUnit): Uint8Array {
    const isNew = (nalUnit: Uint8Array) => !this.#parameterSets.some((known) => equal(known, nalUnit));
    return Buffer.concat(unit.parts.filter(isNew).flatMap((nalUnit) => [uint32(nalUnit.length), nalUnit]));
  }
}

/** Returns the moov box (§8.2.1) down to avc1 (§12.1.3), for a track whose samples are all in fragments. */
function movie({ width, height, configuration }: Mp4Track): Uint8Array {
  const matrix = IDENTITY_MATRIX.map(uint32);
  const none = uint32(0);
  const sampleEntry = box(
    'avc1',
    ...[zeros(6), uint16(1), zeros(16), uint16(width), uint16(height)],
    // 72 dpi in both directions, one frame per sample, no compressor name, 24 bits, no color table.
    ...[uint32(0x480000), uint32(0x480000), none, uint16(1), zeros(32), uint16(24), uint16(0xffff)],
    box('avcC', configuration),
  );
  const table = box(
    'stbl',
    fullBox('stsd', 0, 0, uint32(1), sampleEntry),
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
    box('trak', trackHeader, media),
    box('mvex', fullBox('trex', 0, 0, uint32(TRACK_ID), uint32(1), none, none, none)),
  );
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
/** Big-endian; negative values in two's complement. */
const uint32 = (value: number): Uint8Array =>
  Uint8Array.of((value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
const uint64 = (value: number): Uint8Array =>
  Buffer.concat([uint32(Math.floor(value / 0x100000000)), uint32(value % 0x100000000)]);

function equal(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
