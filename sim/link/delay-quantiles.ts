import { malformed, type Parsed, parsed } from '../../protocol/base/parsed.ts';
import { type Microseconds, microseconds } from '../../protocol/base/units.ts';
import { asShare, asTime, readLinkShare, readTime } from './link-values.ts';

/** A point of a distribution function: a share of the datagrams is delayed by at most this much. */
export interface DelayQuantile {
  /** 0 … 1. */
  readonly share: number;
  /** Microseconds. */
  readonly delay: Microseconds;
}

/** A distribution of additional delay, linear between its points; the first share is 0, the last one 1. */
export type DelayQuantiles = readonly DelayQuantile[];

const POINTS_MAX = 64;
const EXPECTED = `delays at rising shares from 0% to 100%, such as 0ms@0%/2ms@50%/9ms@100%, at most ${POINTS_MAX}`;

/** Reads `0ms@0%/2ms@50%/9ms@100%`. */
export function readDelayQuantiles(text: string): Parsed<DelayQuantiles> {
  const points: DelayQuantile[] = [];
  for (const part of text.split('/')) {
    const [delayText = '', shareText = '', ...more] = part.split('@');
    const delay = readTime(delayText);
    const share = readLinkShare(shareText);
    const before = points.at(-1);
    if (delay === undefined || share === undefined || more.length > 0) return malformed(`expected ${EXPECTED}`);
    if (before && (share <= before.share || delay < before.delay)) return malformed(`expected ${EXPECTED}`);
    points.push({ share, delay });
  }
  if (points[0]?.share !== 0 || points.at(-1)?.share !== 1 || points.length > POINTS_MAX) {
    return malformed(`expected ${EXPECTED}`);
  }
  return parsed(points);
}

export const formatDelayQuantiles = (points: DelayQuantiles): string =>
  points.map(({ share, delay }) => `${asTime(delay)}@${asShare(share)}`).join('/');

/** Returns the delay that this share of the datagrams does not exceed, unrounded. @param share 0 … 1 */
export function delayAtShare(points: DelayQuantiles, share: number): Microseconds {
  let low = 0;
  let high = points.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (points[middle]!.share <= share) low = middle;
    else high = middle;
  }
  const from = points[low]!;
  const to = points[high]!;
  return microseconds(from.delay + ((to.delay - from.delay) * (share - from.share)) / (to.share - from.share));
}
