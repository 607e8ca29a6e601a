import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test, vi } from 'vitest';
import type { LanePage, LanePageOptions } from '../../../io/web-server/lane-page.ts';
import { ticks } from '../../../protocol/base/units.ts';
import type { LaneCommand } from '../../../protocol/page/lane-command.ts';
import { parseLanePicture, serializeLanePicture } from '../../../protocol/page/lane-message.ts';
import { openLanePage } from './open-lane-page.ts';
import { ask, until, usePages } from './page-window.ts';

const ENDED = { kind: 'ended' } as const;
const LANE = { transport: 'udp', recovery: 'nack', congestionControl: 'cubic', latencyMs: 200, onLoss: 'freeze' };

const pages = usePages({
  scripts: ['web/lanes/lanes-page.js', 'protocol/page/page-message.js', 'sim/link/link.js'],
  path: '/lanes',
  parse: parseLanePicture,
});

test('serves the page and its parts, and nothing else', async () => {
  const page = await opened();
  const html = await ask(page, 'GET', '/');
  expect(html.status).toBe(200);
  expect(html.headers['content-security-policy']).toContain("default-src 'none'");
  for (const [, path] of html.body.matchAll(/(?:src|href)="(\/web\/[^"]+)"/g)) {
    expect((await ask(page, 'GET', path!)).status, path).toBe(200);
  }
  for (const path of ['/package.json', '/web/../package.json', '/lane-9.pcapng', '/lane-0.pcapng', '/lab/0']) {
    expect((await ask(page, 'GET', path)).status, path).toBe(404);
  }
});

test('refuses requests with a foreign host, and uploads from a foreign origin', async () => {
  const uploads: string[] = [];
  const page = await opened({ onUpload: async ({ name }) => void uploads.push(name) });
  expect((await ask(page, 'GET', '/summary.json', { headers: { Host: 'evil.example' } })).status).toBe(421);
  const foreign = { headers: { Origin: 'http://evil.example' }, body: 'x' };
  expect((await ask(page, 'POST', '/source?name=a.mp4', foreign)).status).toBe(405);
  expect((await ask(page, 'POST', '/lab', { body: '{}' })).status).toBe(405);
  expect(uploads).toEqual([]);
});

test('sends a window that joins each lane from its last key frame', async () => {
  const page = await opened();
  page.picture('key', 0, picture(0, 0, true));
  page.picture('reference', 0, picture(0, 1));
  page.picture('key', 1, picture(1, 7, true));
  page.picture('key', 0, picture(0, 2, true));
  page.picture('reference', 0, picture(0, 3));
  const { pictures } = await pages.viewer(page);
  page.picture('reference', 0, picture(0, 4));
  await until(() => pictures.length === 4);
  // Of what has passed, only the newest picture is shown.
  expect(pictures.map(({ lane, frame, decodeOnly }) => [lane, frame, decodeOnly === true])).toEqual([
    [0, 2, true],
    [0, 3, false],
    [1, 7, false],
    [0, 4, false],
  ]);
});

test('bounds the memory for a window that does not read, without drops for others', async () => {
  const page = await opened();
  const good = await pages.viewer(page);
  const slow = await pages.viewer(page);
  slow.socket.pause();
  let queuedBytesMax = 0;
  // 30 MB: more than the buffers of the kernel and the server together.
  for (let frame = 0; frame < 600; frame++) {
    const key = frame % 30 === 0;
    page.picture(key ? 'key' : 'reference', frame % 3, picture(frame % 3, frame, key, 50_000));
    queuedBytesMax = Math.max(queuedBytesMax, page.queuedBytes);
    if (frame % 3 !== 0) continue;
    await until(() => good.pictures.some((seen) => seen.frame === frame || frame < 30));
    good.pictures.length = 0;
  }
  expect(queuedBytesMax).toBeGreaterThan(1_000_000);
  expect(queuedBytesMax).toBeLessThan(5_000_000);
  expect(page.viewers).toBe(2);
});

test.each([
  ['text that is not a command', 'hello'],
  ['an unknown command', '{"kind":"format-disk"}'],
  ['too many lanes', JSON.stringify({ kind: 'settings', lanes: Array(5).fill(LANE) })],
  ['a latency beyond the limit', JSON.stringify({ kind: 'settings', lanes: [{ ...LANE, latencyMs: 60_001 }] })],
  ['a command with an extra field', '{"kind":"stop","x":1}'],
  ['bytes', Buffer.from([1, 2, 3])],
  ['a message over the limit', 'x'.repeat(100_000)],
])('disconnects only the window that sent %s', async (_, garbage) => {
  const commands: LaneCommand[] = [];
  const page = await opened({ onCommand: (command) => commands.push(command) });
  const [good, bad] = [await pages.viewer(page), await pages.viewer(page)];
  bad.socket.send(garbage);
  // Either end may learn of the close first.
  await bad.closed;
  await until(() => page.viewers < 2);
  page.announce(ENDED);
  await until(() => good.texts.length === 1);
  expect(page.viewers).toBe(1);
  expect(commands).toEqual([]);
});

test('asks for a key frame of the lanes of which a joining window gets no picture', async () => {
  const asked: number[] = [];
  const page = await opened({ onKeyFrameNeeded: (lane) => asked.push(lane) });
  page.picture('key', 0, picture(0, 0, true));
  page.picture('key', 1, picture(1, 0, true));
  // More than is kept for windows that join.
  for (let frame = 1; frame < 3; frame++) page.picture('reference', 1, picture(1, frame, false, 1_500_000));
  const { pictures } = await pages.viewer(page);
  await until(() => pictures.length === 1);
  expect(asked).toEqual([1, 2, 3]);
});

test('passes settings on as a whole, and replies to the window that asked only', async () => {
  const refusal = { kind: 'refused', why: 'unknown source x' } as const;
  const commands: LaneCommand[] = [];
  const page = await opened({
    onCommand: (command, reply) => {
      commands.push(command);
      reply(refusal);
    },
  });
  const [asks, watches] = [await pages.viewer(page), await pages.viewer(page)];
  const command = { kind: 'settings', link: 'loss=1%', source: 'x' } as const;
  asks.socket.send(JSON.stringify(command));
  await until(() => asks.texts.length === 1);
  page.announce(ENDED);
  await until(() => watches.texts.length === 1);
  expect(commands).toEqual([command]);
  expect(asks.texts[0]).toEqual(refusal);
  expect(watches.texts).toEqual([ENDED]);
});

test('passes an upload on completely, under a name without path parts', async () => {
  const seen: { name: string; content: string }[] = [];
  const page = await opened({
    onUpload: async ({ name, path, folder }) => {
      seen.push({ name, content: readFileSync(path, 'utf8') });
      await folder.remove();
    },
  });
  const answer = await post(page, `/source?name=${encodeURIComponent('../../.my clip.mp4')}`, 'the video');
  expect(answer.status).toBe(204);
  expect(seen).toEqual([{ name: 'my clip.mp4', content: 'the video' }]);
});

test('refuses a file that cannot be streamed with the cause, and removes it', async () => {
  let lay = '';
  const page = await opened({
    onUpload: async ({ path }) => {
      lay = path;
      throw new Error(`${path} is no video`);
    },
  });
  const answer = await post(page, '/source?name=notes.txt', 'words');
  expect([answer.status, answer.body]).toEqual([422, 'notes.txt is no video\n']);
  await until(() => !existsSync(dirname(lay)));
});

test('refuses a file that is too large, announced or not, and accepts the next one', async () => {
  const taken: string[] = [];
  const page = await opened({ uploadBytesMax: 1_000_000, onUpload: async ({ name }) => void taken.push(name) });
  const large = Buffer.alloc(1_000_001);
  for (const headers of [{ 'Content-Length': '1000001' }, { 'Transfer-Encoding': 'chunked' }]) {
    const answer = await post(page, '/source?name=large.mp4', large, headers);
    expect([answer.status, answer.body]).toEqual([413, 'large.mp4 is larger than 1 MB: use dropframe demo FILE\n']);
  }
  expect((await post(page, '/source?name=small.mp4', 'x')).status).toBe(204);
  expect(taken).toEqual(['small.mp4']);
});

test('refuses a file while another is being uploaded', async () => {
  let finish: (() => void) | undefined;
  const page = await opened({
    onUpload: () =>
      new Promise((resolve) => {
        finish = resolve;
      }),
  });
  const first = post(page, '/source?name=a.mp4', 'x');
  await until(() => finish !== undefined);
  expect((await post(page, '/source?name=b.mp4', 'x')).status).toBe(409);
  finish?.();
  expect((await first).status).toBe(204);
});

test('refuses a file that cannot be stored, and continues', async () => {
  const page = await opened();
  vi.stubEnv('TMPDIR', '/there/is/no/such/folder');
  for (const path of ['/source?name=a.mp4', '/lab']) {
    const { status, body } = await post(page, path, 'x');
    expect([status, body]).toEqual([
      422,
      'cannot write into /there/is/no/such/folder: there is no such file or directory\n',
    ]);
  }
  vi.unstubAllEnvs();
  expect((await post(page, '/source?name=a.mp4', 'x')).status).toBe(204);
});

test('aborts a running experiment on close, and leaves nothing of it', async () => {
  const folders: string[] = [];
  let begun = 0;
  const onScenario: LanePageOptions['onScenario'] = (scenario, _, closing) => {
    begun++;
    folders.push(dirname(scenario));
    return new Promise((_, reject) => closing.addEventListener('abort', () => reject(new Error('closing'))));
  };
  const page = await opened({ onScenario });
  const experiment = post(page, '/lab', '{}').catch(() => {});
  await until(() => begun === 1);
  await page.close();
  await experiment;
  expect(folders.map((folder) => existsSync(folder))).toEqual([false]);
});

test('answers a scenario with the address of its report, which may not run scripts', async () => {
  let scenarioText = '';
  const page = await opened({
    onScenario: async (scenario, folder, _, progressed) => {
      scenarioText = readFileSync(scenario, 'utf8');
      progressed(0.5);
      mkdirSync(folder);
      writeFileSync(join(folder, 'report.html'), '<h1>a report</h1>');
      return join(folder, 'report.html');
    },
  });
  const answer = linesOf(await post(page, '/lab', '{"name":"x"}'));
  expect(scenarioText).toBe('{"name":"x"}');
  expect(answer).toEqual([
    { kind: 'progress', share: 0.5 },
    { kind: 'report', url: '/lab/0' },
  ]);
  const report = await ask(page, 'GET', '/lab/0');
  expect(report.body).toBe('<h1>a report</h1>');
  expect(report.headers['content-security-policy']).not.toContain('script-src');
});

test('says why a run of the lab has failed, also after progress', async () => {
  const page = await opened({
    onScenario: async (scenario, _, __, progressed) => {
      if (readFileSync(scenario, 'utf8') === 'later') progressed(0.25);
      throw new Error(`${scenario}: no strategies`);
    },
  });
  const atOnce = await post(page, '/lab', 'x');
  expect([atOnce.status, atOnce.body]).toEqual([422, 'the scenario: no strategies\n']);
  const later = await post(page, '/lab', 'later');
  expect([later.status, linesOf(later)]).toEqual([
    200,
    [
      { kind: 'progress', share: 0.25 },
      { kind: 'refused', why: 'the scenario: no strategies' },
    ],
  ]);
});

test('zips the page for whoever accepts it: all of it is shorter than 300 kB', async () => {
  const page = await opened();
  const html = await ask(page, 'GET', '/');
  const links = [...html.body.matchAll(/(?:href|src)="(\/[^"]+)"/g)].map(([, link]) => link!);
  const paths = ['/', ...new Set(links), '/traces.json'];
  let bytes = 0;
  for (const path of paths) {
    const plain = await fetch(new URL(path, page.url));
    const zipped = await ask(page, 'GET', path, { headers: { 'Accept-Encoding': 'gzip' } });
    expect([path, zipped.status]).toEqual([path, 200]);
    // fetch accepts and unzips.
    expect((await plain.arrayBuffer()).byteLength).toBeGreaterThanOrEqual(1);
    bytes += Number(zipped.headers['content-length']);
  }
  expect(bytes).toBeLessThan(300_000);
});

test('serves the packets of a lane and the figures as files', async () => {
  const page = await opened({
    capture: (lane) => (lane === 1 ? Uint8Array.of(1, 2, 3) : undefined),
    summary: () => ({ kind: 'lanes' }),
  });
  expect((await ask(page, 'GET', '/lane-2.pcapng')).body).toBe('\u0001\u0002\u0003');
  expect(JSON.parse((await ask(page, 'GET', '/summary.json')).body)).toEqual({ kind: 'lanes' });
});

function opened(options: Partial<LanePageOptions> = {}): Promise<LanePage> {
  return openLanePage(pages, options);
}

function picture(lane: number, frame: number, key = false, bytes = 2): Uint8Array {
  const parts = [new Uint8Array(bytes)];
  return serializeLanePicture({
    lane,
    run: 0,
    frame,
    key,
    timestamp: ticks(frame * 3_000),
    capturedMs: frame * 33,
    parts,
  });
}

/** Lines of JSON in a body. */
const linesOf = ({ body }: { readonly body: string }): unknown[] =>
  body
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);

const post = (page: LanePage, path: string, body: string | Buffer, headers: Record<string, string> = {}) =>
  ask(page, 'POST', path, { headers: { Origin: page.url.slice(0, -1), ...headers }, body });
