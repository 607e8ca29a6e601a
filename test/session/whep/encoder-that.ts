import { appendFileSync, chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A program that is asked as ffmpeg is, and the number of times that it has been started to encode. */
export function encoderThat(does: string) {
  const folder = mkdtempSync(join(tmpdir(), 'dropframe-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [path, runs] = [join(folder, 'ffmpeg'), join(folder, 'runs')];
  appendFileSync(runs, '');
  const answers = `*-version*) echo 'ffmpeg version 6.0' ;; *-encoders*) echo ' V....D libx264' ;;`;
  writeFileSync(path, `#!/bin/sh\ncase "$*" in ${answers} *) echo >> '${runs}'; ${does} ;; esac\n`);
  chmodSync(path, 0o755);
  return { path, runs: () => readFileSync(runs).length };
}
