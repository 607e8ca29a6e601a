/** Distances of sounds to their pictures, milliseconds, summed up; positive: the sound is late. */
export interface ErrorSummary {
  /** Absolute errors: nearest rank. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  /** Of the signed errors. */
  readonly median: number;
  readonly count: number;
}

export const ERROR_COLUMNS = ['p50 ms', 'p95 ms', 'p99 ms', 'median, signed', 'pairs'];

export function errorSummary(errors: readonly number[]): ErrorSummary {
  const sorted = errors.map(Math.abs).sort((a, b) => a - b);
  const rank = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
  const signed = [...errors].sort((a, b) => a - b)[errors.length >> 1] ?? Number.NaN;
  return { p50: rank(0.5), p95: rank(0.95), p99: rank(0.99), median: signed, count: errors.length };
}

/** Texts of `ERROR_COLUMNS`. */
export function errorCells({ count, ...times }: ErrorSummary): readonly string[] {
  return [...[times.p50, times.p95, times.p99, times.median].map((ms) => ms.toFixed(1)), String(count)];
}
