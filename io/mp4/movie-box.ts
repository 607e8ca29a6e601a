import type { Rotation } from '../../protocol/codec/nal/display-orientation.ts';
import { ascii, box, fullBox, uint16Bytes, uint32Bytes, zeros } from './box-writing.ts';

/** A track of a movie whose samples are all in fragments. */
export interface MovieTrack {
  /** 1 or more. */
  readonly id: number;
  readonly kind: 'video' | 'sound';
  /** Ticks per second. */
  readonly timescale: number;
  /** Sample entries (ISO/IEC 14496-12 §8.5.2), serialized. */
  readonly entries: readonly Uint8Array[];
  /** Size of the pictures, luma samples; 0 for sound. */
  readonly width: number;
  readonly height: number;
  /** Rotation clockwise that a player applies; none by default. */
  readonly rotation?: Rotation;
  /** Media time of the presentation's beginning, in the track's ticks; 0 or more. */
  readonly startsAt: number;
}

const IDENTITY_MATRIX = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000];
/** 1 in 16.16 bits of two's complement, and −1. */
const [PLUS, MINUS] = [0x10000, -0x10000];

/** Returns the matrix of a track header (§8.3.2), which turns pictures of this size and moves them back into view. */
function matrixOf(rotation: Rotation, width: number, height: number): readonly number[] {
  const one = 0x40000000;
  const [wide, high] = [width * 0x10000, height * 0x10000];
  switch (rotation) {
    case 0:
      return IDENTITY_MATRIX;
    case 90:
      return [0, PLUS, 0, MINUS, 0, 0, high, 0, one];
    case 180:
      return [MINUS, 0, 0, 0, MINUS, 0, wide, high, one];
    case 270:
      return [0, MINUS, 0, PLUS, 0, 0, 0, wide, one];
  }
}

const MOVIE_TIMESCALE = 1_000;
/** Full volume, 8.8 bits. */
const FULL_VOLUME = 0x0100;
/** Language code `und` (§8.4.2). */
const UNDETERMINED = 0x55c4;

/** Returns the movie box (ISO/IEC 14496-12 §8.2.1 moov to §8.5.2 stsd) of tracks with all samples in fragments. */
export function movieBox(tracks: readonly MovieTrack[]): Uint8Array {
  const none = uint32Bytes(0);
  const matrix = IDENTITY_MATRIX.map(uint32Bytes);
  const header = [
    uint32Bytes(MOVIE_TIMESCALE),
    none,
    uint32Bytes(0x10000),
    uint16Bytes(FULL_VOLUME),
    zeros(10),
    ...matrix,
    zeros(24),
  ];
  return box(
    'moov',
    fullBox('mvhd', 0, 0, none, none, ...header, uint32Bytes(tracks.length + 1)),
    ...tracks.map(trackBox),
    box('mvex', ...tracks.map(({ id }) => fullBox('trex', 0, 0, uint32Bytes(id), uint32Bytes(1), none, none, none))),
  );
}

function trackBox({ id, kind, timescale, entries, width, height, rotation = 0, startsAt }: MovieTrack): Uint8Array {
  const none = uint32Bytes(0);
  const isSound = kind === 'sound';
  const table = box(
    'stbl',
    fullBox('stsd', 0, 0, uint32Bytes(entries.length), ...entries),
    ...[fullBox('stts', 0, 0, none), fullBox('stsc', 0, 0, none)],
    ...[fullBox('stsz', 0, 0, none, none), fullBox('stco', 0, 0, none)],
  );
  const media = box(
    'mdia',
    fullBox('mdhd', 0, 0, none, none, uint32Bytes(timescale), none, uint16Bytes(UNDETERMINED), uint16Bytes(0)),
    fullBox('hdlr', 0, 0, none, ascii(isSound ? 'soun' : 'vide'), zeros(12), ascii(`${kind}\0`)),
    box(
      'minf',
      isSound ? fullBox('smhd', 0, 0, zeros(4)) : fullBox('vmhd', 0, 1, zeros(8)),
      box('dinf', fullBox('dref', 0, 0, uint32Bytes(1), fullBox('url ', 0, 1))),
      table,
    ),
  );
  const trackHeader = fullBox(
    'tkhd',
    0,
    3,
    ...[none, none, uint32Bytes(id), none, none, zeros(12), uint16Bytes(isSound ? FULL_VOLUME : 0), zeros(2)],
    ...matrixOf(rotation, width, height).map(uint32Bytes),
    ...[uint32Bytes(width * 0x10000), uint32Bytes(height * 0x10000)],
  );
  return box('trak', trackHeader, ...(startsAt > 0 ? [editList(startsAt)] : []), media);
}

/** Returns an edit list (§8.6.6) with one edit from this media time. A duration of 0 covers all fragments. */
function editList(mediaTime: number): Uint8Array {
  return box(
    'edts',
    fullBox('elst', 0, 0, uint32Bytes(1), uint32Bytes(0), uint32Bytes(mediaTime), uint32Bytes(0x10000)),
  );
}
