import { malformed, type Parsed, parsed } from '../../protocol/base/parsed.ts';
import { CLOCK_RATE, type Ticks, ticks } from '../../protocol/base/units.ts';
import { BOX_HEADER_BYTES, child, children, descend, fourCharacters, uint32, uint64 } from './boxes.ts';

/** Content of a fragmented MP4 in file order. */
export type FragmentedMp4Event =
  /** Decoder configuration, such as the AVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3.1); once for each track, before the first sample. */
  | { readonly kind: 'configuration'; readonly record: Uint8Array }
  /** A sample, such as length-prefixed NAL units, its presentation time, 90 kHz, and its track: 0, 1, … in the order of the header. */
  | { readonly kind: 'sample'; readonly bytes: Uint8Array; readonly timestamp: Ticks; readonly track: number };

/**
 * Largest box, bytes: an I_PCM picture in 4K fits. A wrong length in a corrupt stream is rejected before memory is
 * allocated.
 */
const BOX_BYTES_MAX = 64 * 1024 * 1024;
/** A fragment ends at the next key frame: half an hour of 30 a second without one. Defaults make a sample cost no byte. */
const SAMPLES_MAX = 65_536;
const LARGE_BOX_HEADER_BYTES = 16;
/** Header of a list box: version and flags, then the number of entries. */
const LIST_HEADER_BYTES = 8;
/** Offset from the start of a sample entry to its child boxes (ISO/IEC 14496-12 §12.1.3). */
const VISUAL_SAMPLE_ENTRY_BYTES = 78;
const NO_TRACK = 'no H.264 or HEVC track';
/** Sample entries (ISO/IEC 14496-15 §5.4.2, §8.4.1; the bindings of VP9 and AV1) and the box in each with the decoder configuration. */
const SAMPLE_ENTRIES = [
  ['avc1', 'avcC'],
  ['hvc1', 'hvcC'],
  ['hev1', 'hvcC'],
  ['vp09', 'vpcC'],
  ['av01', 'av1C'],
] as const;

/**
 * Reads, as it arrives, the fragmented MP4 (ISO/IEC 14496-12 §8.8) that ffmpeg writes to a pipe: video tracks, one
 * `moof` + `mdat` pair of one of them after the other. It keeps one fragment in memory and no index, so an endless stream costs
 * nothing; a general MP4 reader keeps a table that grows by each fragment.
 *
 *     ftyp | moov: mdhd (timescale), configuration | moof: tfdt (time), trun (sizes) | mdat: samples | moof | mdat | …
 */
export class FragmentedMp4Reader {
  #header = new Uint8Array(LARGE_BOX_HEADER_BYTES);
  #headerBytes = 0;
  #type = '';
  /** Body of the current box; `undefined` while a box is skipped. */
  #body: Uint8Array | undefined;
  #bodyBytes = 0;
  #bodyLength = 0;
  #insideBody = false;

  /** Number and timescale of each track. */
  #tracks: { readonly id: number; readonly timescale: number }[] = [];
  #fragment: { readonly sizes: number[]; readonly timestamps: Ticks[]; readonly track: number } | undefined;
  #refused: { readonly ok: false; readonly malformed: string } | undefined;

  /** Returns the events completed by this chunk. After an error, every further call returns it. */
  push(chunk: Uint8Array): Parsed<FragmentedMp4Event[]> {
    const events: FragmentedMp4Event[] = [];
    let offset = 0;
    while (this.#refused === undefined && offset < chunk.length) {
      offset += this.#insideBody ? this.#takeBody(chunk, offset) : this.#takeHeader(chunk, offset);
      if (this.#isWhole()) this.#finishBox(events);
    }
    return this.#refused ?? parsed(events);
  }

  #isWhole(): boolean {
    return this.#insideBody && this.#bodyBytes === this.#bodyLength;
  }

  #takeHeader(chunk: Uint8Array, offset: number): number {
    const wanted = this.#wantedHeaderBytes();
    const taken = chunk.subarray(offset, offset + wanted - this.#headerBytes);
    this.#header.set(taken, this.#headerBytes);
    this.#headerBytes += taken.length;
    // A 64-bit size extends the header by eight bytes.
    if (this.#headerBytes === this.#wantedHeaderBytes()) this.#startBox();
    return taken.length;
  }

  #wantedHeaderBytes(): number {
    const isLarge = this.#headerBytes >= BOX_HEADER_BYTES && uint32(this.#header, 0) === 1;
    return isLarge ? LARGE_BOX_HEADER_BYTES : BOX_HEADER_BYTES;
  }

  #startBox(): void {
    const size = this.#headerBytes === LARGE_BOX_HEADER_BYTES ? uint64(this.#header, 8) : uint32(this.#header, 0);
    this.#type = fourCharacters(this.#header, 4);
    const length = size - this.#headerBytes;
    this.#headerBytes = 0;
    const isKept = this.#type === 'moov' || this.#type === 'moof' || this.#type === 'mdat';
    if (length < 0) this.#refuse(`box ${this.#type} of ${size} bytes`);
    else if (isKept && length > BOX_BYTES_MAX) this.#refuse(`box ${this.#type} of ${size} bytes`);
    else {
      this.#body = isKept ? new Uint8Array(length) : undefined;
      this.#bodyBytes = 0;
      this.#bodyLength = length;
      this.#insideBody = true;
    }
  }

  #takeBody(chunk: Uint8Array, offset: number): number {
    const taken = Math.min(chunk.length - offset, this.#bodyLength - this.#bodyBytes);
    this.#body?.set(chunk.subarray(offset, offset + taken), this.#bodyBytes);
    this.#bodyBytes += taken;
    return taken;
  }

  #finishBox(events: FragmentedMp4Event[]): void {
    const body = this.#body;
    this.#insideBody = false;
    this.#body = undefined;
    if (body === undefined) return;
    const cause = this.#readBox(body, events);
    if (cause !== undefined) this.#refuse(cause);
  }

  /** Returns the cause when the box is malformed. */
  #readBox(body: Uint8Array, events: FragmentedMp4Event[]): string | undefined {
    if (this.#type === 'moov') return this.#readMovie(body, events);
    if (this.#type === 'moof') return this.#readFragment(body);
    return this.#readSamples(body, events);
  }

  #readMovie(moov: Uint8Array, events: FragmentedMp4Event[]): string | undefined {
    const tracks = children(moov, 'trak');
    if (tracks.length === 0) return NO_TRACK;
    this.#tracks = [];
    for (const track of tracks) {
      const cause = this.#readTrack(track, events);
      if (cause !== undefined) return cause;
    }
    return undefined;
  }

  /** Parses the header of a track: tkhd (§8.3.2), mdhd (§8.4.2), stsd (§8.5.2). */
  #readTrack(track: Uint8Array, events: FragmentedMp4Event[]): string | undefined {
    const own = child(track, 'tkhd');
    const header = descend(track, ['mdia', 'mdhd']);
    const description = descend(track, ['mdia', 'minf', 'stbl', 'stsd']);
    const record = description && configurationIn(description.subarray(LIST_HEADER_BYTES));
    if (own === undefined || header === undefined || record === undefined) return NO_TRACK;
    // Version 1 has 64-bit times before the number, and before the timescale.
    const timescale = uint32(header, header[0] === 1 ? 20 : 12);
    if (timescale === 0) return 'a timescale of 0';
    this.#tracks.push({ id: uint32(own, own[0] === 1 ? 20 : 12), timescale });
    events.push({ kind: 'configuration', record });
    return undefined;
  }

  /** Parses a fragment: tfhd (§8.8.7), tfdt (§8.8.12), trun (§8.8.8). */
  #readFragment(moof: Uint8Array): string | undefined {
    const track = child(moof, 'traf');
    const header = track && child(track, 'tfhd');
    const time = track && child(track, 'tfdt');
    const run = track && child(track, 'trun');
    if (header === undefined || time === undefined || run === undefined) return 'a fragment without its tables';
    const index = this.#tracks.findIndex(({ id }) => id === uint32(header, 4));
    if (index === -1) return 'a fragment of an unknown track';
    const { timescale } = this.#tracks[index]!;
    const defaults = trackDefaults(header);
    const flags = uint32(run, 0) & 0xffffff;
    const count = uint32(run, 4);
    if (count > SAMPLES_MAX) return `a track run of ${count} samples`;
    let offset = 8 + (flags & 0x1 ? 4 : 0) + (flags & 0x4 ? 4 : 0);
    let decodeTime = time[0] === 1 ? uint64(time, 4) : uint32(time, 4);
    const sizes: number[] = [];
    const timestamps: Ticks[] = [];
    const field = (flag: number, otherwise: number): number => {
      if ((flags & flag) === 0) return otherwise;
      offset += 4;
      return uint32(run, offset - 4);
    };
    for (let sample = 0; sample < count && offset <= run.length; sample += 1) {
      const duration = field(0x100, defaults.duration);
      sizes.push(field(0x200, defaults.size));
      field(0x400, 0);
      // Unsigned in version 0, signed in version 1; no real offset needs the top bit.
      const compositionOffset = field(0x800, 0) | 0;
      timestamps.push(ticks(Math.round(((decodeTime + compositionOffset) * CLOCK_RATE) / timescale)));
      decodeTime += duration;
    }
    if (sizes.length !== count || offset > run.length) return 'a track run that ends early';
    this.#fragment = { sizes, timestamps, track: index };
    return undefined;
  }

  #readSamples(mdat: Uint8Array, events: FragmentedMp4Event[]): string | undefined {
    const fragment = this.#fragment;
    if (fragment === undefined) return 'samples without a fragment';
    this.#fragment = undefined;
    const { track } = fragment;
    let offset = 0;
    for (const [index, size] of fragment.sizes.entries()) {
      const bytes = mdat.subarray(offset, offset + size);
      if (bytes.length !== size) return 'a sample that ends outside of its fragment';
      events.push({ kind: 'sample', bytes, timestamp: fragment.timestamps[index] as Ticks, track });
      offset += size;
    }
    return undefined;
  }

  #refuse(cause: string): void {
    this.#refused = malformed(cause);
  }
}

function trackDefaults(tfhd: Uint8Array): { readonly duration: number; readonly size: number } {
  const flags = uint32(tfhd, 0) & 0xffffff;
  let offset = 8 + (flags & 0x1 ? 8 : 0) + (flags & 0x2 ? 4 : 0);
  const duration = flags & 0x8 ? uint32(tfhd, offset) : 0;
  if (flags & 0x8) offset += 4;
  return { duration, size: flags & 0x10 ? uint32(tfhd, offset) : 0 };
}

function configurationIn(sampleEntries: Uint8Array): Uint8Array | undefined {
  for (const [type, box] of SAMPLE_ENTRIES) {
    const entry = child(sampleEntries, type);
    const record = entry && child(entry.subarray(VISUAL_SAMPLE_ENTRY_BYTES), box);
    if (record !== undefined) return record;
  }
  return undefined;
}
