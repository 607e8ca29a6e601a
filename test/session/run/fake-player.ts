import { chmodSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from '../../io/sources/media.ts';

/** Puts a program called mpv first on the PATH until the test has finished. */
export function fakePlayer(script: string, folder = temporaryFolder()): void {
  writeFileSync(join(folder, 'mpv'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, 'mpv'), 0o755);
  const { PATH, DISPLAY } = process.env;
  Object.assign(process.env, { PATH: `${folder}${delimiter}${PATH}`, DISPLAY: ':9' });
  onTestFinished(() => {
    process.env.PATH = PATH;
    if (DISPLAY === undefined) delete process.env.DISPLAY;
    else process.env.DISPLAY = DISPLAY;
  });
}
