import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { Failure } from '../../../io/os/failure.ts';
import { openPage, type Page, type PageOptions } from '../../../io/web-server/page-server.ts';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import { ticks } from '../../../protocol/base/units.ts';
import { type PagePicture, parsePagePicture } from '../../../protocol/page/page-message.ts';
import { ask, until, usePages } from './page-window.ts';

const DESCRIPTION = { title: 'a clip', codec: 'avc1.42C01E', width: 640, height: 360 };

const pages = usePages({
  scripts: ['web/player/page.js', 'protocol/page/page-message.js', 'protocol/base/parsed.js'],
  path: '/live',
  parse: parsePagePicture,
});

test('sends two windows the description, then the same pictures from a key frame on', async () => {
  const page = await opened();
  const [first, second] = [await pages.viewer(page), await pages.viewer(page)];
  expect(page.viewers).toBe(2);
  page.write(unit('reference', 0));
  page.write(unit('key', 1));
  page.write(unit('reference', 2));
  for (const { pictures, texts } of [first, second]) {
    await until(() => pictures.length === 2);
    expect(pictures.map(({ number, key, timestamp }) => ({ number, key, timestamp }))).toEqual([
      { number: 1, key: true, timestamp: 3_000 },
      { number: 2, key: false, timestamp: 6_000 },
    ]);
    expect([...(pictures[0]?.data ?? [])]).toEqual([0, 0, 0, 1, 0x65, 1]);
    expect(texts[0]).toEqual({ kind: 'description', description: DESCRIPTION });
  }
});

test('starts a window that joins late at the last key frame, and has it show the newest picture', async () => {
  const page = await opened();
  for (const index of [0, 1, 2]) page.write(unit(index === 0 ? 'key' : 'reference', index));
  const late = await pages.viewer(page);
  page.write(unit('reference', 3));
  await until(() => late.pictures.length === 4);
  expect(late.pictures.map(({ number, decodeOnly }) => [number, decodeOnly === true])).toEqual([
    [0, true],
    [1, true],
    [2, false],
    [3, false],
  ]);
});

test('starts a window at the next key frame when too many pictures have arrived since the last one', async () => {
  const page = await opened();
  for (let index = 0; index < 50; index++) page.write(unit(index === 0 ? 'key' : 'reference', index, 50_000));
  const late = await pages.viewer(page);
  page.write(unit('reference', 50));
  page.write(unit('key', 51));
  await until(() => late.pictures.length === 1);
  expect(late.pictures[0]?.number).toBe(51);
});

test('marks a picture that is not to be drawn', async () => {
  const page = await opened();
  const { pictures } = await pages.viewer(page);
  page.write(unit('key', 0));
  page.write({ ...unit('reference', 1), decodeOnly: true });
  page.write(unit('reference', 2));
  await until(() => pictures.length === 3);
  expect(pictures.map(({ decodeOnly }) => decodeOnly === true)).toEqual([false, true, false]);
});

test('counts the sound that a window which does not read misses', async () => {
  const page = await opened();
  const slow = await pages.viewer(page);
  slow.socket.pause();
  const sound = { timestamp: ticks(0), durationMs: 20, payload: new Uint8Array(100) };
  for (let index = 0; page.queuedBytes <= 1_000_000; index += 1) {
    page.write(unit(index % 30 === 0 ? 'key' : 'reference', index, 50_000));
    await new Promise(setImmediate);
  }
  page.writeSound(sound);
  page.writeSound(sound);
  expect(page.droppedSound).toBe(2);
});

test('bounds the memory for a window that does not read, without drops for others', async () => {
  const page = await opened();
  const good = await pages.viewer(page);
  const slow = await pages.viewer(page);
  slow.socket.pause();
  const frameBytes = 50_000;
  const frames = 600; // 30 MB: more than the buffers of the kernel and the server together
  let queuedBytesMax = 0;
  for (let index = 0; index < frames; index += 1) {
    page.write(unit(index % 30 === 0 ? 'key' : 'reference', index, frameBytes));
    queuedBytesMax = Math.max(queuedBytesMax, page.queuedBytes);
    await until(() => good.pictures.length === index + 1);
    good.pictures[index] = { ...good.pictures[index], data: new Uint8Array(0) } as PagePicture;
  }
  expect(page.dropped).toBeGreaterThan(100);
  // 2 MB, the picture that exceeds it, and one on its way to the window that reads.
  expect(queuedBytesMax).toBeGreaterThan(1_000_000);
  expect(queuedBytesMax).toBeLessThan(2_000_000 + 3 * frameBytes);
  slow.socket.resume();
  await until(() => page.queuedBytes === 0);
  page.write(unit('key', frames));
  await until(() => slow.pictures.at(-1)?.number === frames);
  // A key frame follows each gap, so everything received can be decoded.
  slow.pictures.forEach((picture, index) => {
    const previous = slow.pictures[index - 1];
    if (previous !== undefined && picture.number !== previous.number + 1) expect(picture.key).toBe(true);
  });
});

test.each([
  ['text that is not a command', 'hello'],
  ['an unknown command', '{"kind":"command","command":"format-disk"}'],
  ['a command with an extra field', '{"kind":"command","command":"stop","x":1}'],
  ['bytes', Buffer.from([1, 2, 3])],
  ['a message over the limit', 'x'.repeat(10_000)],
])('disconnects only the window that sent %s', async (_, garbage) => {
  const commands: string[] = [];
  const page = await opened({ onCommand: (command) => commands.push(command) });
  const [good, bad] = [await pages.viewer(page), await pages.viewer(page)];
  bad.socket.send(garbage);
  // Either end may learn of the close first.
  await bad.closed;
  await until(() => page.viewers < 2);
  page.write(unit('key', 0));
  await until(() => good.pictures.length === 1);
  expect(page.viewers).toBe(1);
  expect(commands).toEqual([]);
});

test('disconnects a connection with invalid WebSocket frames only', async () => {
  const page = await opened();
  const [good, bad] = [await pages.viewer(page), await pages.viewer(page)];
  (bad.socket as unknown as { _socket: { write(bytes: Buffer): void } })._socket.write(Buffer.alloc(64, 0xff));
  await bad.closed;
  page.write(unit('key', 0));
  await until(() => good.pictures.length === 1);
});

test('passes a command on', async () => {
  const commands: string[] = [];
  const page = await opened({ onCommand: (command) => commands.push(command) });
  const { socket } = await pages.viewer(page);
  socket.send('{"kind":"command","command":"request-keyframe"}');
  socket.send('{"kind":"command","command":"stop"}');
  await until(() => commands.length === 2);
  expect(commands).toEqual(['request-keyframe', 'stop']);
});

test.each([
  ['no origin', {}],
  ['the origin of another site', { origin: 'http://evil.example' }],
  ['the origin of another port', { origin: 'http://127.0.0.1:1' }],
  ['https', { origin: 'https://127.0.0.1:PORT' }],
  ['another host name for this address', { origin: 'http://evil.example:PORT', host: 'evil.example:PORT' }],
  ['the page’s origin under a foreign host', { origin: 'http://127.0.0.1:PORT', host: 'evil.example' }],
])('refuses a socket with %s', async (_, headers) => {
  const page = await opened();
  const port = new URL(page.url).port;
  const filled = Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, text.replace('PORT', port)]));
  const socket = pages.ending(new WebSocket(`ws://127.0.0.1:${port}/live`, { headers: filled }));
  const status = await new Promise((resolve, reject) => {
    socket.on('unexpected-response', (_request, response) => resolve(response.statusCode));
    socket.on('open', () => reject(new Error('the socket was accepted')));
    socket.on('error', () => {});
  });
  expect([403, 421]).toContain(status);
  expect(page.viewers).toBe(0);
});

test('accepts localhost for 127.0.0.1', async () => {
  const page = await opened();
  const port = new URL(page.url).port;
  const answer = await get(page, '/', { Host: `localhost:${port}` });
  expect(answer.status).toBe(200);
});

test('serves the page with headers that exclude foreign content', async () => {
  const page = await opened();
  const html = await get(page, '/');
  expect(html.status).toBe(200);
  expect(html.headers['content-type']).toBe('text/html; charset=utf-8');
  expect(html.headers['x-content-type-options']).toBe('nosniff');
  expect(html.headers['content-security-policy']).toContain("default-src 'none'");
  for (const [, path] of html.body.matchAll(/(?:src|href)="([^"]+)"/g)) {
    expect((await get(page, path ?? '')).status, path).toBe(200);
  }
  expect((await get(page, '/protocol/base/parsed.js')).headers['content-type']).toBe('text/javascript; charset=utf-8');
});

test('refuses another host, method or path', async () => {
  const page = await opened();
  const refused = await get(page, '/', { Host: 'evil.example' });
  expect(refused.status).toBe(421);
  expect(refused.body).toBe('this page is not served by that name: open the address that dropframe printed\n');
  expect((await get(page, '/', {}, 'POST')).status).toBe(405);
  for (const path of ['/package.json', '/web/../package.json', '/web/%2e%2e/package.json', '//etc/passwd', '/web/']) {
    expect((await get(page, path)).status, path).toBe(404);
  }
});

test('sends the latest statistics to the windows and serves them at /statistics.json', async () => {
  const page = await opened();
  page.statistics({ framesOnTime: 1 });
  const { texts } = await pages.viewer(page);
  page.statistics({ framesOnTime: 2 });
  await until(() => texts.length === 3);
  expect(texts.slice(1)).toEqual([
    { kind: 'statistics', record: { framesOnTime: 1 } },
    { kind: 'statistics', record: { framesOnTime: 2 } },
  ]);
  const answer = await get(page, '/statistics.json');
  expect(JSON.parse(answer.body)).toEqual({ framesOnTime: 2 });
  expect(answer.headers['access-control-allow-origin']).toBeUndefined();
});

test('accepts at most sixteen windows', async () => {
  const page = await opened();
  for (let index = 0; index < 16; index += 1) await pages.viewer(page);
  await expect(pages.viewer(page)).rejects.toThrow('503');
  expect(page.viewers).toBe(16);
});

test('announces the close, disconnects windows that do not answer, and frees the port', async () => {
  const page = await opened();
  const good = await pages.viewer(page);
  const deaf = await pages.viewer(page);
  deaf.socket.pause();
  const idle = connect(Number(new URL(page.url).port), '127.0.0.1').on('error', () => {});
  await page.close();
  await good.closed;
  expect(good.texts.at(-1)).toEqual({ kind: 'ended' });
  idle.destroy();
  await opened({ port: Number(new URL(page.url).port) });
});

test('reports a busy port in one line', async () => {
  const page = await opened();
  const port = Number(new URL(page.url).port);
  await expect(opened({ port })).rejects.toThrow(
    new Failure(
      `the page cannot be served on 127.0.0.1:${port}: the port is in use; choose another one, or stop the program that uses it`,
      1,
    ),
  );
});

test('takes port 7080, or another where that is in use', async () => {
  const [first, second] = [await opened({ port: undefined }), await opened({ port: undefined })];
  // Another program may have 7080.
  await expect(opened({ port: 7_080 })).rejects.toThrow(/127\.0\.0\.1:7080: the port is in use/);
  expect(new URL(second.url).port).not.toBe('7080');
  expect(second.url).not.toBe(first.url);
  expect((await get(second, '/')).status).toBe(200);
});

test('reports a page that is not built in one line', async () => {
  const missing = { ...pages.folders, compiled: join(pages.folders.compiled, 'nowhere') };
  await expect(opened({ folders: missing })).rejects.toThrow(/is missing: run "npm run build" first$/);
});

async function opened(options: Partial<PageOptions> = {}): Promise<Page> {
  const page = await openPage({ port: 0, description: DESCRIPTION, log: () => {}, folders: pages.folders, ...options });
  return pages.closing(page);
}

function unit(importance: AccessUnit['importance'], index: number, bytes = 2): AccessUnit {
  const nalUnit = new Uint8Array(bytes).fill(1);
  nalUnit[0] = importance === 'key' ? 0x65 : 0x41;
  return { parts: [nalUnit], timestamp: ticks(index * 3_000), decodeTimestamp: ticks(index * 3_000), importance };
}

const get = (page: Page, path: string, headers: Record<string, string> = {}, method = 'GET') =>
  ask(page, method, path, { headers });
