import { malformed, type Parsed, parsed } from '../../protocol/base/parsed.ts';
import { inMilliseconds, MILLISECOND, type Microseconds, microseconds, SECOND } from '../../protocol/base/units.ts';

/** Parses one value of the one-line form of a link; `undefined` when it is invalid. */
export type Reader = (text: string) => number | undefined;

/** Significant digits that survive scaling: 5 % stays 5 %, not 5.000000000000001 %. */
const DIGITS = 15;

function scaled(units: Readonly<Record<string, number>>, max: number): Reader {
  return (text) => {
    const match = /^(\d+(?:\.\d+)?(?:e-\d+)?)([a-z%]*)$/i.exec(text);
    const factor = match ? units[match[2]!.toLowerCase()] : undefined;
    if (!match || factor === undefined) return undefined;
    const value = Number(match[1]) * factor;
    return value <= max ? value : undefined;
  };
}

/** `5%` or `0.05`: a fraction, 0 … 1. */
export const readLinkShare: Reader = (text) => {
  const value = scaled({ '%': 0.01, '': 1 }, 1)(text);
  return value === undefined ? undefined : Number(value.toPrecision(DIGITS));
};
/** `20ms`: microseconds, at most one minute. */
export const readTime = (text: string): Microseconds | undefined => {
  const value = readSpan(text);
  return value === undefined ? undefined : microseconds(value);
};
const readSpan = scaled({ us: 1, ms: MILLISECOND, s: SECOND }, 60_000_000);
/** `90s` or `2h`: microseconds since the link began, at most one day. */
export const readPointInTime: Reader = (text) => {
  const value = scaled({ us: 1, ms: MILLISECOND, s: SECOND, min: 60_000_000, h: 3_600_000_000 }, 86_400_000_000)(text);
  return value === undefined ? undefined : Math.round(value);
};
/** `8mbit`: bits per second. */
export const readRate = scaled({ bit: 1, kbit: 1e3, mbit: 1e6, gbit: 1e9 }, 1e12);
/** `64kB`: bytes, at least 1. */
export const readBytes: Reader = (text) => {
  const value = scaled({ b: 1, kb: 1e3, mb: 1e6, gb: 1e9 }, 1e12)(text);
  return value !== undefined && value >= 1 && Number.isInteger(value) ? value : undefined;
};
/** `25p` or `25packets`: datagrams, at least 1. */
export const readPackets: Reader = (text) => {
  const match = /^(\d{1,7})p(?:ackets?)?$/i.exec(text);
  return match && Number(match[1]) >= 1 ? Number(match[1]) : undefined;
};
export const readNumber = scaled({ '': 1 }, 0xffff_ffff);
export const readLinkWhole: Reader = (text) => {
  const value = readNumber(text);
  return value !== undefined && Number.isInteger(value) ? value : undefined;
};

/** Parses a value of several parts, such as `1%/30%`; `undefined` unless all parts are valid. */
export function readList(text: string, readers: readonly Reader[], least = readers.length): number[] | undefined {
  const parts = text.split('/');
  if (parts.length < least || parts.length > readers.length) return undefined;
  const values: number[] = [];
  for (const [index, part] of parts.entries()) {
    const value = readers[index]?.(part);
    if (value === undefined) return undefined;
    values.push(value);
  }
  return values;
}

export const asShare = (value: number): string => `${Number((value * 100).toPrecision(12))}%`;
export const asTime = (value: Microseconds): string =>
  value % MILLISECOND === 0 ? `${inMilliseconds(value)}ms` : `${value}us`;

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
