import type { AccessUnit } from '../../protocol/access-unit.ts';
import { assert } from '../../protocol/base/assert.ts';
import { equalBytes } from '../../protocol/base/equal-bytes.ts';
import { CLOCK_RATE, type Ticks, ticks } from '../../protocol/base/units.ts';
import type { Codec, Mp4Format, ParameterSetTracker } from '../../protocol/codec/codec.ts';
import type { Rotation } from '../../protocol/codec/nal/display-orientation.ts';
import type { VideoSignal } from '../../protocol/codec/nal/video-signal.ts';
import { ascii, box, fullBox, uint16Bytes, uint32Bytes, uint64Bytes, zeros } from './box-writing.ts';
import { movieBox } from './movie-box.ts';
import { type Mp4Sound, SoundFragments } from './sound-fragments.ts';

/** Sample entry (ISO/IEC 14496-12 §8.5.2): the decoder configuration of the samples that refer to it. */
export interface SampleEntry {
  readonly width: number;
  readonly height: number;
  /** Shape of samples and colors; written where they are known. */
  readonly signal?: VideoSignal | undefined;
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

/**
 * Free bytes after the header, into which it can grow: about eighty sample entries. Beyond them, new parameter sets are
 * written to the samples only.
 */
const HEADER_ROOM_BYTES = 16_384;
const FREE_BYTES_MIN = 8;

/**
 * Writes a fragmented MP4 (ISO/IEC 14496-12 §8.8) of pictures on the 90 kHz clock, and of sound. Fragments do not wait for
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
  /**
   * Time from decoding to showing the first picture, 90 kHz, which an edit list cuts; 0 without sound. Without it FFmpeg,
   * which has no negative composition offsets, moves the pictures by this, apart from the sound.
   */
  #delay: Ticks = ticks(0);
  readonly #sound: SoundFragments | undefined;
  readonly #rotation: Rotation;

  /** @param rotation clockwise, that a player applies. */
  constructor(codec: Codec, entry: SampleEntry, sound?: Mp4Sound, rotation: Rotation = 0) {
    assert(codec.mp4 !== undefined, 'the codec must be one that can be muxed into MP4');
    this.#codec = codec;
    this.#format = codec.mp4;
    this.#inForce = codec.trackParameterSets();
    this.#rotation = rotation;
    this.#entries = [entry];
    for (const set of entry.parameterSets) this.#inForce.add(set);
    this.#sound = sound && new SoundFragments(sound);
    this.#headerBytes = this.#movie().length + HEADER_ROOM_BYTES;
  }

  /** Returns the start of the file (`ftyp`, `moov`, `free`), of constant length. Depends on entries and `start`. */
  header(): Uint8Array {
    const movieBytes = this.#movie();
    return Buffer.concat([movieBytes, box('free', zeros(this.#headerBytes - movieBytes.length - FREE_BYTES_MIN))]);
  }

  /** Selects the sample entry of the next fragments, adding it if new. @returns true when it was added. */
  use(entry: SampleEntry): boolean {
    const known = this.#entries.findIndex((each) => equalBytes(each.configuration, entry.configuration));
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

  #movie(): Uint8Array {
    const brands = box(
      'ftyp',
      ascii('iso6'),
      uint32Bytes(512),
      ascii('iso6'),
      ascii('mp41'),
      ascii(this.#format.sampleEntry),
    );
    const { width, height, signal } = this.#entries[0]!;
    const { sampleAspect = { width: 1, height: 1 } } = signal ?? {};
    const pictures = {
      id: TRACK_ID,
      kind: 'video' as const,
      timescale: CLOCK_RATE,
      entries: this.#entries.map((entry) => sampleEntry(entry, this.#format)),
      // The presentation's width counts square samples (§8.3.2).
      width: Math.round((width * sampleAspect.width) / sampleAspect.height),
      height,
      rotation: this.#rotation,
      startsAt: this.#shownFrom + this.#delay,
    };
    const sound = this.#sound?.track(this.#shownFrom);
    return Buffer.concat([brands, movieBox(sound ? [pictures, sound] : [pictures])]);
  }

  /** Adds a unit of the sound, on the timeline of the pictures; a following fragment contains it. */
  addSound(unit: AccessUnit): void {
    this.#sound?.push(unit);
  }

  /** Changes when the header does: the beginnings of both tracks. */
  get start(): string {
    return `${this.#shownFrom} ${this.#delay} ${this.#sound?.lead ?? 0}`;
  }

  /**
   * Returns `moof` and `mdat` for one or more access units.
   * @param nextDecodeTimestamp decode timestamp of the following unit; an estimate at the end of the stream.
   * @param isEnd true for the last fragment, which has all the sound that is left.
   */
  fragment(units: readonly AccessUnit[], nextDecodeTimestamp: Ticks, isEnd = false): Uint8Array {
    const first = units[0] as AccessUnit;
    const { decode, shown } = this.#epochOf(first);
    this.#noteShown(units, shown);
    // Active parameter sets of a decoder that starts at this fragment.
    const inForce = this.#codec.trackParameterSets();
    for (const set of this.#entries[this.#entry]!.parameterSets) inForce.add(set);
    const samples = units.map((unit) => this.#sample(unit, inForce));
    const entries = units.map((unit, index) => {
      const next = units[index + 1]?.decodeTimestamp ?? nextDecodeTimestamp;
      return [
        uint32Bytes(Math.max(0, next - unit.decodeTimestamp)),
        uint32Bytes((samples[index] as Uint8Array).length),
        uint32Bytes(unit.importance === 'key' ? SYNC_SAMPLE : OTHER_SAMPLE),
        uint32Bytes(unit.timestamp - shown - (unit.decodeTimestamp - decode) + this.#delay),
      ];
    });
    this.#sequence += 1;
    const sound = this.#sound?.take(shown, isEnd);
    const pictureBytes = samples.reduce((sum, { length }) => sum + length, 0);
    const moof = (dataOffset: number): Uint8Array =>
      box(
        'moof',
        fullBox('mfhd', 0, 0, uint32Bytes(this.#sequence)),
        box(
          'traf',
          // default-base-is-moof, sample-description-index-present
          fullBox('tfhd', 0, 0x020002, uint32Bytes(TRACK_ID), uint32Bytes(this.#entry + 1)),
          fullBox('tfdt', 1, 0, uint64Bytes(first.decodeTimestamp - decode)),
          fullBox('trun', 1, RUN_FLAGS, uint32Bytes(units.length), uint32Bytes(dataOffset), ...entries.flat()),
        ),
        ...(sound ? [sound.fragment(dataOffset + pictureBytes)] : []),
      );
    const mdat = box('mdat', ...samples, ...(sound?.samples ?? []));
    return Buffer.concat([moof(moof(0).length + 8), mdat]);
  }

  #epochOf(first: AccessUnit): { readonly decode: Ticks; readonly shown: Ticks } {
    if (this.#epoch) return this.#epoch;
    if (this.#sound) this.#delay = ticks(first.timestamp - first.decodeTimestamp);
    this.#epoch = { decode: first.decodeTimestamp, shown: first.timestamp };
    return this.#epoch;
  }

  #sample(unit: AccessUnit, inForce: ParameterSetTracker): Uint8Array {
    const sets = this.#codec.parameterSetsOf(unit.parts);
    // Write all or none: at a new sequence parameter set, ffmpeg discards the picture parameter sets that refer to it.
    const isLeftOut = !this.#format.keepsParameterSets;
    const areKnown = isLeftOut && sets.every((set) => inForce.holds(set) && this.#inForce.holds(set));
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

/** Returns a VisualSampleEntry (§12.1.3). */
function sampleEntry({ width, height, signal = {}, configuration }: SampleEntry, format: Mp4Format): Uint8Array {
  return box(
    format.sampleEntry,
    ...[zeros(6), uint16Bytes(1), zeros(16), uint16Bytes(width), uint16Bytes(height)],
    // 72 dpi both ways, one frame a sample, no compressor name, 24 bits, no color table.
    ...[
      uint32Bytes(0x480000),
      uint32Bytes(0x480000),
      uint32Bytes(0),
      uint16Bytes(1),
      zeros(32),
      uint16Bytes(24),
      uint16Bytes(0xffff),
    ],
    box(format.configurationBox, configuration),
    ...signalBoxes(signal),
  );
}

/** Returns `pasp` (§12.1.4) and `colr` (§12.1.5) with what is known. */
function signalBoxes({ sampleAspect, color, isFullRange = false }: VideoSignal): Uint8Array[] {
  const boxes: Uint8Array[] = [];
  if (sampleAspect) boxes.push(box('pasp', uint32Bytes(sampleAspect.width), uint32Bytes(sampleAspect.height)));
  if (color) {
    const codes = [color.primaries, color.transfer, color.matrix].map(uint16Bytes);
    boxes.push(box('colr', ascii('nclx'), ...codes, Uint8Array.of(isFullRange ? 0x80 : 0)));
  }
  return boxes;
}
