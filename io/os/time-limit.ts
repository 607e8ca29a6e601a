import { clearInterval, clearTimeout, setInterval, setTimeout } from 'node:timers';

/** Returns the result, or `undefined` after `ms` milliseconds; the work itself is not cancelled. */
export async function within<Result>(
  ms: number,
  result: Promise<Result>,
): Promise<{ readonly value: Result } | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([result.then((value) => ({ value })), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** How long work may take. */
export interface WorkLimits {
  /** Time without progress, milliseconds. */
  readonly idleMs: number;
  /** Whole time, milliseconds; by default six times as long. */
  readonly totalMs?: number | undefined;
}

/** Looks at the progress of work within the time that it may take without any. */
const LOOKS = 20;
const TOTAL_OF_IDLE = 6;

/**
 * Returns the result, or `late`, the time that was waited, when the work has not progressed for too long, as far as can be told, or
 * has taken too long as a whole. Time in which this process did not run itself does not count. The work is not cancelled.
 * @param progress returns a number that changes while the work goes on.
 */
export async function whileWorking<Result>(
  { idleMs, totalMs = idleMs * TOTAL_OF_IDLE }: WorkLimits,
  progress: () => number,
  result: Promise<Result>,
): Promise<{ readonly value: Result } | { readonly lateMs: number }> {
  const intervalMs = idleMs / LOOKS;
  let [looks, idleLooks, last] = [0, 0, progress()];
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<{ readonly lateMs: number }>((resolve) => {
    timer = setInterval(() => {
      const reached = progress();
      idleLooks = reached === last ? idleLooks + 1 : 0;
      last = reached;
      looks++;
      if (idleLooks >= LOOKS || looks * intervalMs >= totalMs) resolve({ lateMs: looks * intervalMs });
    }, intervalMs);
  });
  try {
    return await Promise.race([result.then((value) => ({ value })), late]);
  } finally {
    clearInterval(timer);
  }
}

/** Beginning of the text of a time limit that was reached. */
export const TIMEOUT = 'timeout: ';

export const lateText = (lateMs: number): string =>
  `${TIMEOUT}no answer within ${Number((lateMs / 1_000).toFixed(1))} s`;
