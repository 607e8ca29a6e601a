import { test } from 'vitest';

/**
 * A `test` with requirements that not every machine meets (a program, the shared media). Without them the test is
 * skipped and names what is missing; with `DROPFRAME_MANDATORY=1`, as in CI, it fails. `programs` makes programs
 * mandatory only, for machines without the shared folder.
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
  const { DROPFRAME_MANDATORY: mandatory } = process.env;
  return mandatory === '1' || (mandatory === 'programs' && !what.includes('shared/'));
}
