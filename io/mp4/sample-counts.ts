import { child, children, descend, uint32 } from './boxes.ts';
import { readMovieBody } from './mp4-structure.ts';

/** Samples by which an index may exceed the samples that have a size, as careless writers make it, besides a factor of two. */
const TOLERANCE = 100_000;

/**
 * True when an MP4's index counts samples that cannot be there. Such counts are run lengths: of a few bytes a reader would
 * make an entry for each of four billion samples.
 */
export async function hasImpossibleCounts(path: string): Promise<boolean> {
  const movie = await readMovieBody(path);
  return movie !== undefined && children(movie.body, 'trak').some(isImpossible);
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
