/** How a source is to follow the path. */
export interface FollowRange {
  /** Range of the bit rate, bits per second. */
  readonly bitrateMin: number;
  readonly bitrateMax: number;
  /** True when the user has requested it: input that could be copied is encoded. */
  readonly prefer: boolean;
  /** Key frame interval, frames, for receivers that cannot ask; by default key frames are made on request only. */
  readonly keyInterval?: number | undefined;
}

/** Defaults, bits per second: a small, soft, moving picture; and a sharp one at 1080p. */
const BITRATE_MIN = 100_000;
const BITRATE_MAX = 6_000_000;

/** Returns the range with its defaults; `undefined` for a fixed bit rate. A limit alone enables it as well. */
export function followRange(asked: {
  readonly rate?: 'auto' | 'fixed' | undefined;
  readonly bitrateMin?: number | undefined;
  readonly bitrateMax?: number | undefined;
}): FollowRange | undefined {
  const { rate, bitrateMin: min, bitrateMax: max } = asked;
  if (rate === 'fixed') return undefined;
  return {
    bitrateMin: min ?? Math.min(BITRATE_MIN, max ?? BITRATE_MIN),
    bitrateMax: max ?? Math.max(BITRATE_MAX, min ?? BITRATE_MAX),
    prefer: rate === 'auto' || min !== undefined || max !== undefined,
  };
}
