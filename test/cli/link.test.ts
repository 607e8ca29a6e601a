import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { PATIENCE } from '../patience.ts';
import { dropframe } from './dropframe-process.ts';

async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

test('runs a relay until Ctrl-C: JSON lines, a report on stderr and one in a file, exit code 0', async () => {
  const target = createSocket('udp4').bind(0, '127.0.0.1');
  await once(target, 'listening');
  const received: string[] = [];
  target.on('message', (datagram) => received.push(datagram.toString()));
  const port = await freePort();
  const file = join(mkdtempSync(join(tmpdir(), 'dropframe-link-')), 'report.json');
  const run = dropframe(
    ...['link', '--listen', `127.0.0.1:${port}`, '--to', `127.0.0.1:${target.address().port}`],
    ...['--link', 'delay=2ms seed=5', '--link-back', 'loss=1%', '--json', '--report', file],
  );
  await vi.waitFor(() => expect(run.output.stderr).toContain('relaying'), PATIENCE);
  const client = createSocket('udp4');
  client.send('hello', port, '127.0.0.1');
  await vi.waitFor(() => expect(received).toEqual(['hello']), PATIENCE);
  await vi.waitFor(() => expect(run.output.stdout).toContain('"kind":"statistics"'), PATIENCE);
  run.child.kill('SIGINT');

  expect(await run.ended).toBe(0);
  const lines = run.output.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.slice(0, -1).map(({ kind }) => kind)).toContain('statistics');
  const { kind, ...report } = lines.at(-1);
  expect(kind).toBe('report');
  expect(report.forward).toMatchObject({ link: 'delay=2ms seed=5', offered: 1, delivered: 1, offeredBytes: 5 });
  expect(report.back).toMatchObject({ link: 'loss=1% seed=1', offered: 0 });
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(report);
  expect(run.output.stderr).toContain('1 offered + 0 duplicated = 1 delivered + 0 lost + 0 overflowed + 0 in flight');
  client.close();
  target.close();
});

test('stops after --duration', async () => {
  const run = dropframe('link', '--listen', '127.0.0.1:0', '--to', '127.0.0.1:9', '--duration', '0.1', '-q', '--json');
  expect(await run.ended).toBe(0);
  expect(run.output.stderr).toBe('');
  expect(JSON.parse(run.output.stdout)).toMatchObject({ kind: 'report', clients: { served: 0 } });
});

test.each([
  [['--to', '127.0.0.1:9'], /--listen/],
  [['--listen', '127.0.0.1:0', '--to', '127.0.0.1:9', '--link', 'loss=5x'], /'loss=5x': expected a share such as 5%/],
  [['--listen', '127.0.0.1:0', '--to', '127.0.0.1:9', '--link-back', 'dely=5ms'], /'dely=5ms': unknown/],
  [['--listen', '127.0.0.1:0', '--to', '127.0.0.1:0'], /--to: port 0 is not a destination/],
  [['--listen', 'nonsense', '--to', '127.0.0.1:9'], /expected an address and a port/],
])('reports wrong usage in one line with exit code 2: link %s', async (args, message) => {
  const run = dropframe('link', ...args);
  expect(await run.ended).toBe(2);
  expect(run.output.stderr).toMatch(message);
  expect(run.output.stderr).not.toContain('    at ');
});
