import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { refuseUndecodable } from '../../cli/encoded-arguments.ts';
import { temporaryFolder } from '../io/sources/media.ts';
import { ROOT, run } from './dropframe-process.ts';

const bytesOf = (...parts: (string | number)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'number' ? Buffer.of(part) : Buffer.from(part))));

test('arguments in UTF-8 are accepted, even with the replacement character itself', () => {
  expect(() => refuseUndecodable(['send', 'café ☃.mp4'], () => expect.unreachable())).not.toThrow();
  const line = bytesOf('node', 0, 'send', 0, '\ufffd.mp4', 0);
  expect(() => refuseUndecodable(['send', '\ufffd.mp4'], () => line)).not.toThrow();
});

test('an argument in another encoding is refused as a shell writes it', () => {
  const line = bytesOf('node', 0, 'send', 0, "it's caf", 0xe9, '\\.mp4', 0);
  expect(() => refuseUndecodable(['send', "it's caf\ufffd\\.mp4"], () => line)).toThrow(
    String.raw`$'it\'s caf\xe9\\.mp4' is not UTF-8`,
  );
  expect(() => refuseUndecodable(['a\ufffd'], () => undefined)).toThrow('a\ufffd is not UTF-8');
});

test.runIf(process.platform === 'linux').each([
  { args: `send "$(printf 'caf\\351.mp4')"`, shown: String.raw`$'caf\xe9.mp4'` },
  { args: `receive dropframe://127.0.0.1:1 --summary "$1/$(printf '\\377.json')"`, shown: String.raw`\xff.json'` },
])('`dropframe $args` ends with one line and writes nothing', async ({ args, shown }) => {
  const folder = temporaryFolder();
  const start = "const { main } = await import('./cli/main.ts'); process.exit(await main(process.argv));";
  const script = `exec "$0" --import tsx --input-type=module --eval "${start}" -- dropframe ${args}`;
  const { ended, output } = run('sh', ['-c', `cd '${ROOT}' && ${script}`, process.execPath, folder]);
  expect(await ended).toBe(2);
  expect(output.stderr).toMatch(/^dropframe: \$'[^\n]* is not UTF-8, so the name cannot be used: [^\n]*\n$/);
  expect(output.stderr).toContain(shown);
  expect(readdirSync(folder)).toEqual([]);
});
