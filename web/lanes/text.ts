/** Between a number and its unit: a space that does not break. */
export const SPACE = '\u00a0';

/** Formats a duration for display: `240 ms`, `1.24 s`. */
export function duration(value: number | null): string {
  if (value === null) return '–';
  return value < 1_000
    ? `${Math.round(value)}${SPACE}ms`
    : `${(value / 1_000).toFixed(value < 10_000 ? 2 : 1)}${SPACE}s`;
}

/** Formats a duration so that it can be read while it changes: `240 ms`, `1.2 s`. */
export function roughly(milliseconds: number): string {
  return milliseconds < 1_000 ? duration(milliseconds) : `${(milliseconds / 1_000).toFixed(1)}${SPACE}s`;
}

/** Formats a share from 0 to 1 for display: `99.4 %`. Only what is complete is 100 %. */
export function share(value: number): string {
  const percent = value * 100;
  if (percent === 0 || value === 1) return `${percent}${SPACE}%`;
  return `${Math.min(99.9, percent).toFixed(1)}${SPACE}%`;
}

/** Formats a part of a whole: `4.1 %`; a dash while the whole is 0. */
export const percent = (part: number, whole: number): string => (whole === 0 ? '–' : share(part / whole));

/** Formats a count and its noun: `1 packet`, `2,000 packets`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')}${SPACE}${noun}${count === 1 ? '' : 's'}`;
}
