import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openInBrowser } from '../../../io/web-server/browser-opener.ts';

test('starts nothing without a display', () => {
  expect(openInBrowser('http://127.0.0.1:1/', { PATH: '' }, 'linux')).toBe(false);
});

test('tries without xdg-open, and does not fail', () => {
  expect(openInBrowser('http://127.0.0.1:1/', { PATH: '/nowhere', DISPLAY: ':0' }, 'linux')).toBe(true);
});

test('passes the address to xdg-open as one argument', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dropframe-opener-'));
  const written = join(folder, 'written');
  writeFileSync(
    join(folder, 'xdg-open'),
    `#!/bin/sh\nprintf '%s|' "$#" "$1" > ${written}.new\nmv ${written}.new ${written}\n`,
  );
  chmodSync(join(folder, 'xdg-open'), 0o755);
  openInBrowser('http://127.0.0.1:1/?a=b&c d', { PATH: `${folder}:/usr/bin:/bin`, DISPLAY: ':0' }, 'linux');
  while (!existsSync(written)) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(readFileSync(written, 'utf8')).toBe('1|http://127.0.0.1:1/?a=b&c d|');
  rmSync(folder, { recursive: true });
});
