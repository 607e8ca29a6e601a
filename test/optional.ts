import { test } from 'vitest';

/**
 * A `test` for what not every machine has (a program, the shared media). Where it is absent the test is skipped and says
 * what is missing; with `DROPFRAME_MANDATORY=1`, as in CI, its absence is a failure. `programs` asks that of programs
 * only: for a machine that has nothing but this repository, and so not the shared media.
 */
export function optional(
  what: string,
  present: boolean,
): (name: string, story: () => unknown, timeout?: number) => void {
  return (name, story, timeout) => {
    if (present) test(name, async () => void (await story()), timeout);
    else if (mandatory(what)) test(name, () => Promise.reject(new Error(`needs ${what}`)));
    else test.skip(`${name} [skipped: needs ${what}]`, () => {});
  };
}

function mandatory(what: string): boolean {
  const { DROPFRAME_MANDATORY: asked } = process.env;
  return asked === '1' || (asked === 'programs' && !what.includes('shared/media'));
}
