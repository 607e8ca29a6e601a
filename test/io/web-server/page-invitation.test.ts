import { generate } from 'lean-qr';
import { expect, test } from 'vitest';
import { Log } from '../../../io/os/log.ts';
import { printInvitation, qrCode } from '../../../io/web-server/page-invitation.ts';

const URL = 'https://192.0.2.7:7081/?token=AbCdEfGhIjKlMnOpQrStUv';
const invitation = { urls: [URL, 'https://[2001:db8::7]:7081/?token=x'], fingerprint: 'ab12'.repeat(16) };

const BLACK_ON_WHITE = '\x1b[38;5;16;48;5;231m';
const RESET = '\x1b[0m';
/** Dark modules of each character of the drawing, upper and lower. */
const MODULES: Record<string, readonly [boolean, boolean]> = {
  ' ': [false, false],
  '▄': [false, true],
  '▀': [true, false],
  '█': [true, true],
};

test('draws every module of the code in black on white, with a quiet zone around it', async () => {
  const code = generate(URL);
  const lines = (await qrCode(URL)).split('\n').map((line) => {
    expect([line.startsWith(BLACK_ON_WHITE), line.endsWith(RESET)]).toEqual([true, true]);
    return [...line.slice(BLACK_ON_WHITE.length, -RESET.length)].map((character) => MODULES[character]!);
  });
  expect(lines[0]!.length).toBe(code.size + 4);
  let dark = 0;
  for (const [row, cells] of lines.entries()) {
    for (const [column, cell] of cells.entries()) {
      for (const [half, isDark] of cell.entries()) {
        expect(isDark).toBe(code.get(column - 2, row * 2 + half - 2));
        dark += isDark ? 1 : 0;
      }
    }
  }
  expect(dark).toBeGreaterThan(300);
});

test('prints each address, who may use it, and the fingerprint in the form of browsers', async () => {
  const lines: string[] = [];
  await printInvitation(invitation, new Log({ level: 'info', write: (line) => lines.push(line.trimEnd()) }));
  expect(lines.slice(0, 2)).toEqual(
    invitation.urls.map((url) => `from a phone or another computer on this network: ${url}`),
  );
  expect(lines[2]).toContain('anyone with this address can watch, change and stop');
  expect(lines[3]).toContain(`fingerprint is ${'AB:12:'.repeat(16).slice(0, -1)}`);
});

test('a log of JSON lines has no drawing', () => {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  new Log({ level: 'info', json: true, write }).drawing('#');
  new Log({ level: 'error', write }).drawing('#');
  expect(lines).toEqual([]);
  new Log({ level: 'info', write }).drawing('#');
  expect(lines).toEqual(['#\n']);
});
