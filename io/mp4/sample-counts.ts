import { open } from 'node:fs/promises';
import { child, children, descend, uint32 } from './boxes.ts';
import { readBoxHeader, readFileBytes, readMovieBody } from './mp4-structure.ts';

/** Samples by which an index may exceed the samples that have a size, as careless writers make it, besides a factor of two. */
const TOLERANCE = 100_000;
/** Boxes of a file that are looked at: an hour of fragments of 0.1 s. */
const BOXES_MAX = 72_000;
const FRAGMENT_BYTES_MAX = 16 * 1024 * 1024;
/** Samples of a fragment that have no entries of their own: ten seconds of PCM at 96 kHz. */
const FRAGMENT_SAMPLES_MAX = 1_000_000;
/** Flags of a run whose samples have entries: duration, size, flags, offset. */
const EACH_SAMPLE = 0xf00;

/**
 * True when an MP4's index counts samples that cannot be there. Such counts are run lengths: of a few bytes a reader would
 * make an entry for each of four billion samples.
 */
export async function hasImpossibleCounts(path: string): Promise<boolean> {
  const movie = await readMovieBody(path);
  if (movie === undefined) return false;
  return (
    children(movie.body, 'trak').some(isImpossible) ||
    (child(movie.body, 'mvex') !== undefined && (await hasImpossibleFragment(path)))
  );
}

async function hasImpossibleFragment(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    let offset = 0;
    for (let count = 0; count < BOXES_MAX; count += 1) {
      const box = await readBoxHeader(file, offset);
      if (box === undefined) return false;
      if (box.type === 'moof') {
        const body = await readFileBytes(file, box.bodyOffset, Math.min(box.end - box.bodyOffset, FRAGMENT_BYTES_MAX));
        if (repeatedSamples(body) > FRAGMENT_SAMPLES_MAX) return true;
      }
      offset = box.end;
    }
    return false;
  } finally {
    await file.close();
  }
}

/** Number of samples in a fragment's runs that say nothing about any of them (§8.8.8 trun). */
function repeatedSamples(fragment: Uint8Array): number {
  const runs = children(fragment, 'traf').flatMap((track) => children(track, 'trun'));
  return runs.reduce((sum, run) => sum + ((uint32(run, 0) & EACH_SAMPLE) === 0 ? uint32(run, 4) : 0), 0);
}

function isImpossible(track: Uint8Array): boolean {
  const table = descend(track, ['mdia', 'minf', 'stbl']);
  if (table === undefined) return false;
  const limit = 2 * samplesOf(table) + TOLERANCE;
  // Runs of samples with one duration, or one offset (§8.6.1.2 stts, §8.6.1.3 ctts), and samples of each chunk (§8.7.4 stsc).
  return (
    runLengths(table, 'stts', { entryBytes: 8, at: 0 }).reduce((sum, count) => sum + count, 0) > limit ||
    runLengths(table, 'ctts', { entryBytes: 8, at: 0 }).reduce((sum, count) => sum + count, 0) > limit ||
    runLengths(table, 'stsc', { entryBytes: 12, at: 4 }).some((count) => count > limit)
  );
}

/** Number of samples (§8.7.3): the count of the box, or the sizes that it really holds. */
function samplesOf(table: Uint8Array): number {
  const sizes = child(table, 'stsz');
  if (sizes) return uint32(sizes, 4) > 0 ? uint32(sizes, 8) : Math.min(uint32(sizes, 8), (sizes.length - 12) >>> 2);
  const compact = child(table, 'stz2');
  return compact ? Math.min(uint32(compact, 8), 2 * compact.length) : 0;
}

function runLengths(table: Uint8Array, type: string, { entryBytes, at }: { entryBytes: number; at: number }): number[] {
  const box = child(table, type);
  if (box === undefined) return [];
  const count = Math.max(0, Math.min(uint32(box, 4), Math.floor((box.length - 8) / entryBytes)));
  return Array.from({ length: count }, (_, index) => uint32(box, 8 + index * entryBytes + at));
}
