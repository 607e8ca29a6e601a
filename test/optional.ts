import { test } from 'vitest';

/**
 * A `test` for what not every machine has (a program, the shared media). Where it is absent the test is skipped and says
 * what is missing; with `DROPFRAME_MANDATORY=1`, as in CI, its absence is a failure.
 */
export function optional(
  what: string,
  present: boolean,
): (name: string, story: () => unknown, timeout?: number) => void {
  return (name, story, timeout) => {
    if (present) test(name, async () => void (await story()), timeout);
    else if (process.env.DROPFRAME_MANDATORY === '1') test(name, () => Promise.reject(new Error(`needs ${what}`)));
    else test.skip(`${name} [skipped: needs ${what}]`, () => {});
  };
}
