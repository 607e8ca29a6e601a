import { clearTimeout, setTimeout } from 'node:timers';

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
