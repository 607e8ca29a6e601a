import { type FileHandle, open } from 'node:fs/promises';
import { child, children, descend, fourCharacters, uint32, uint64 } from './boxes.ts';

/** One segment of the edit list (ISO/IEC 14496-12 §8.6.6), in seconds. */
export interface Edit {
  /** Presentation time at which the edit starts. */
  readonly start: number;
  /** Duration; `Infinity` when the edit extends to the end of the media. */
  readonly duration: number;
  /** Media time at the start of the edit; `undefined` for an empty edit, which shows nothing. */
  readonly mediaTime: number | undefined;
}

/** Replacement for bytes of a file, applied on reading. */
export interface Patch {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/**
 * Index data of one video track of an MP4 or QuickTime file, other than the positions of the samples. For a damaged
 * index, only the intact part.
 */
export interface Mp4Structure {
  /** Clock rate of the track, ticks per second. */
  readonly timescale: number;
  /** Edits of normal speed, including empty ones. Without an edit, the media is shown unchanged. */
  readonly edits: readonly Edit[];
  /** Number of samples in the movie box; further samples are in fragments. */
  readonly samples: number;
  /** Presentation duration, seconds; `undefined` when the file does not state it. */
  readonly durationSeconds: number | undefined;
  /** Decoder configurations (avcC, hvcC, av1C), in the order of the sample descriptions (§8.5.2). */
  readonly configurations: readonly Uint8Array[];
  /** Returns the sample description index, from 0, of a sample in the movie box. */
  descriptionOf(sample: number): number;
  /** Defaults for the track's fragments (§8.8.3 trex); `undefined` when the file has none. */
  readonly fragmentDefaults: FragmentDefaults | undefined;
  /** Patches that hide the samples of the movie box when fragments follow; empty otherwise. */
  readonly withoutSamples: readonly Patch[];
  readonly trackId: number;
}

export interface FragmentDefaults {
  /** Sample description index, from 0. */
  readonly description: number;
  /** Default sample duration, ticks of the track. */
  readonly sampleDuration: number;
  readonly sampleFlags: number;
}

export interface FileBox {
  readonly type: string;
  readonly offset: number;
  readonly bodyOffset: number;
  /** Offset after the box; may exceed the size of the file. */
  readonly end: number;
}

/** Limit of the movie box, bytes; an hour of samples takes 3 MB. */
const MOVIE_BYTES_MAX = 128 * 1024 * 1024;
/** Limit of boxes before the movie box; a file with more is not treated as an MP4. */
const BOXES_MAX = 10_000;
/** Bytes from the start of a sample entry's body to its child boxes (ISO/IEC 14496-12 §12.1.3). */
const VISUAL_SAMPLE_ENTRY_BYTES = 78;
const AUDIO_SAMPLE_ENTRY_BYTES = 28;
const UNKNOWN_32 = 0xffff_ffff;

/** Reads the movie box. Returns `undefined` when the file has none, or no track with this id. */
export async function readMp4Structure(path: string, trackId: number): Promise<Mp4Structure | undefined> {
  const movie = await readMovieBody(path);
  return movie && readMovie(movie.body, { bodyOffset: movie.bodyOffset, trackId });
}

/**
 * Returns the protection scheme of encrypted pictures or sound (ISO/IEC 14496-12 §8.12), such as `cenc`; `undefined` when the
 * file has none, or is no MP4.
 */
export async function readMp4Encryption(path: string, kind: 'pictures' | 'sound'): Promise<string | undefined> {
  const [type, entryBytes] =
    kind === 'pictures' ? ['encv', VISUAL_SAMPLE_ENTRY_BYTES] : ['enca', AUDIO_SAMPLE_ENTRY_BYTES];
  const movie = await readMovieBody(path);
  for (const track of movie ? children(movie.body, 'trak') : []) {
    const entry = descend(track, ['mdia', 'minf', 'stbl', 'stsd'])?.subarray(8);
    if (entry === undefined || fourCharacters(entry, 4) !== type) continue;
    const scheme = descend(entry.subarray(8 + entryBytes, uint32(entry, 0)), ['sinf', 'schm']);
    return scheme ? fourCharacters(scheme, 4) : 'unknown scheme';
  }
  return undefined;
}

/** Reads the body of the movie box. Returns `undefined` when the file has none, or it is too large. */
export async function readMovieBody(
  path: string,
): Promise<{ readonly body: Uint8Array; readonly bodyOffset: number } | undefined> {
  const file = await open(path, 'r');
  try {
    let offset = 0;
    for (let count = 0; count < BOXES_MAX; count += 1) {
      const box = await readBoxHeader(file, offset);
      if (box === undefined) return undefined;
      if (box.type === 'moov') {
        if (box.end - box.bodyOffset > MOVIE_BYTES_MAX) return undefined;
        const body = await readFileBytes(file, box.bodyOffset, box.end - box.bodyOffset);
        return { body, bodyOffset: box.bodyOffset };
      }
      offset = box.end;
    }
    return undefined;
  } finally {
    await file.close();
  }
}

/** Reads a box header. Returns `undefined` at the end of the file, or when it is invalid. */
export async function readBoxHeader(file: FileHandle, offset: number): Promise<FileBox | undefined> {
  const header = await readFileBytes(file, offset, 16);
  if (header.length < 8) return undefined;
  const type = fourCharacters(header, 4);
  const short = uint32(header, 0);
  if (short === 0) return { type, offset, bodyOffset: offset + 8, end: (await file.stat()).size };
  const headerBytes = short === 1 ? 16 : 8;
  const size = short === 1 ? uint64(header, 8) : short;
  if (size < headerBytes) return undefined;
  return { type, offset, bodyOffset: offset + headerBytes, end: offset + size };
}

/** Reads up to `length` bytes; fewer at the end of the file. */
export async function readFileBytes(file: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const { size } = await file.stat();
  const wanted = new Uint8Array(Math.max(0, Math.min(length, size - offset)));
  const { bytesRead } = await file.read(wanted, 0, wanted.length, offset);
  return wanted.subarray(0, bytesRead);
}

function readMovie(
  movie: Uint8Array,
  { bodyOffset, trackId }: { readonly bodyOffset: number; readonly trackId: number },
): Mp4Structure | undefined {
  const track = children(movie, 'trak').find((each) => idOf(each) === trackId);
  const media = track && child(track, 'mdia');
  const mediaHeader = media && child(media, 'mdhd');
  const table = media && descend(media, ['minf', 'stbl']);
  if (track === undefined || mediaHeader === undefined || table === undefined) return undefined;
  const movieHeader = child(movie, 'mvhd');
  const timescale = uint32(mediaHeader, mediaHeader[0] === 1 ? 20 : 12);
  const movieTimescale = movieHeader === undefined ? 0 : uint32(movieHeader, movieHeader[0] === 1 ? 20 : 12);
  if (timescale === 0) return undefined;
  const extension = child(movie, 'mvex');
  const fragmentDefaults = extension && readDefaults(extension, trackId);
  const sizes = child(table, 'stsz') ?? child(table, 'stz2');
  const samples = sizes === undefined ? 0 : uint32(sizes, 8);
  const isFragmented = fragmentDefaults !== undefined;
  const edits = readEdits(track, { movieTimescale, timescale, isFragmented });
  return {
    timescale,
    edits,
    samples,
    durationSeconds: durationOf(edits, { mediaHeader, timescale, extension, movieTimescale }),
    configurations: readConfigurations(table),
    descriptionOf: descriptionsOf(table),
    fragmentDefaults,
    withoutSamples: samples > 0 && isFragmented ? emptied(table, movie, bodyOffset) : [],
    trackId,
  };
}

function idOf(track: Uint8Array): number {
  const header = child(track, 'tkhd');
  return header === undefined ? 0 : uint32(header, header[0] === 1 ? 20 : 12);
}

/** Parses the edit list (§8.6.6 elst). A list with another speed or a still picture is ignored. */
function readEdits(
  track: Uint8Array,
  scales: { readonly movieTimescale: number; readonly timescale: number; readonly isFragmented: boolean },
): Edit[] {
  const list = descend(track, ['edts', 'elst']);
  if (list === undefined || scales.movieTimescale === 0) return [];
  const isLarge = list[0] === 1;
  const entryBytes = isLarge ? 20 : 12;
  const count = Math.min(uint32(list, 4), Math.floor((list.length - 8) / entryBytes));
  const edits: Edit[] = [];
  let start = 0;
  for (let index = 0; index < count; index += 1) {
    const at = 8 + index * entryBytes;
    const ticks = isLarge ? uint64(list, at) : uint32(list, at);
    const mediaTicks = isLarge ? uint64(list, at + 8) : uint32(list, at + 4);
    const isEmpty = mediaTicks === (isLarge ? 0xffff_ffff * 0x1_0000_0000 + UNKNOWN_32 : UNKNOWN_32);
    const isNormalSpeed = uint32(list, at + entryBytes - 4) === 0x10000;
    if (!isEmpty && !isNormalSpeed) return [];
    // The header of a fragmented file is written before the duration is known.
    const isOpen = !isEmpty && index === count - 1 && (ticks === 0 || scales.isFragmented);
    const duration = isOpen ? Number.POSITIVE_INFINITY : ticks / scales.movieTimescale;
    edits.push({ start, duration, mediaTime: isEmpty ? undefined : mediaTicks / scales.timescale });
    start += duration;
  }
  return edits.some((edit) => edit.mediaTime !== undefined) ? edits : [];
}

function durationOf(
  edits: readonly Edit[],
  parts: {
    readonly mediaHeader: Uint8Array;
    readonly timescale: number;
    readonly extension: Uint8Array | undefined;
    readonly movieTimescale: number;
  },
): number | undefined {
  const last = edits.at(-1);
  if (last !== undefined && last.duration < Number.POSITIVE_INFINITY) return last.start + last.duration;
  if (parts.extension !== undefined) {
    const header = child(parts.extension, 'mehd');
    const ticks = header === undefined ? 0 : header[0] === 1 ? uint64(header, 4) : uint32(header, 4);
    const isKnown = ticks > 0 && ticks < UNKNOWN_32 && parts.movieTimescale > 0;
    return isKnown ? ticks / parts.movieTimescale : undefined;
  }
  const isLarge = parts.mediaHeader[0] === 1;
  const ticks = isLarge ? uint64(parts.mediaHeader, 24) : uint32(parts.mediaHeader, 16);
  const isKnown = ticks > 0 && (isLarge ? ticks < Number.MAX_SAFE_INTEGER : ticks < UNKNOWN_32);
  if (!isKnown) return undefined;
  const seconds = ticks / parts.timescale;
  return last === undefined ? seconds : Math.max(0, last.start + seconds - last.mediaTime!);
}

/** Returns the decoder configuration of each sample entry; empty for an entry without one. */
function readConfigurations(table: Uint8Array): Uint8Array[] {
  const descriptions = child(table, 'stsd');
  if (descriptions === undefined) return [];
  const configurations: Uint8Array[] = [];
  let offset = 8;
  for (let left = uint32(descriptions, 4); left > 0 && offset + 8 <= descriptions.length; left -= 1) {
    const size = uint32(descriptions, offset);
    if (size < 8) break;
    const entry = descriptions.subarray(offset + 8 + VISUAL_SAMPLE_ENTRY_BYTES, offset + size);
    configurations.push(child(entry, 'avcC') ?? child(entry, 'hvcC') ?? child(entry, 'av1C') ?? new Uint8Array());
    offset += size;
  }
  return configurations;
}

/** Returns a lookup from sample to description (§8.7.4 stsc), built from runs of equal chunks. */
function descriptionsOf(table: Uint8Array): (sample: number) => number {
  const chunks = child(table, 'stsc');
  const runs: { readonly firstSample: number; readonly description: number }[] = [];
  let firstSample = 0;
  for (let at = 8; chunks !== undefined && at + 12 <= chunks.length; at += 12) {
    runs.push({ firstSample, description: uint32(chunks, at + 8) - 1 });
    const chunksInRun = uint32(chunks, at + 12) - uint32(chunks, at);
    firstSample += Math.max(0, chunksInRun) * uint32(chunks, at + 4);
  }
  if (runs.every((run) => run.description === 0)) return () => 0;
  return (sample) => runs.findLast((run) => run.firstSample <= sample)?.description ?? 0;
}

function readDefaults(extension: Uint8Array, trackId: number): FragmentDefaults | undefined {
  const own = children(extension, 'trex').find((each) => uint32(each, 4) === trackId);
  if (own === undefined) return undefined;
  return {
    description: Math.max(0, uint32(own, 8) - 1),
    sampleDuration: uint32(own, 12),
    sampleFlags: uint32(own, 20),
  };
}

/** Returns patches that set the counts of the sample tables to 0. */
function emptied(table: Uint8Array, movie: Uint8Array, bodyOffset: number): Patch[] {
  const patches: Patch[] = [];
  const zero = (type: string, at: number): void => {
    const body = child(table, type);
    if (body === undefined) return;
    const offset = bodyOffset + (body.byteOffset - movie.byteOffset) + at;
    patches.push({ offset, bytes: new Uint8Array(4) });
  };
  // The size common to all samples precedes the count.
  zero('stsz', 4);
  zero('stsz', 8);
  for (const type of ['stts', 'ctts', 'stss', 'stsc', 'stco', 'co64', 'sdtp']) zero(type, 4);
  return patches;
}
