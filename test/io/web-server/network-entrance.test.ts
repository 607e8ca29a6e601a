import { once } from 'node:events';
import { request } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { connect } from 'node:tls';
import { expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { LanePage, LanePageOptions } from '../../../io/web-server/lane-page.ts';
import { comparableHost } from '../../../io/web-server/page-entrance.ts';
import { LANE_SOCKET_PATH, parseLanePicture } from '../../../protocol/page/lane-message.ts';
import { PATIENCE } from '../../patience.ts';
import { openLanePage } from './open-lane-page.ts';
import { type Answer, ask, usePages } from './page-window.ts';

/** Another address of this machine, on any system with the whole of 127.0.0.0/8. */
const HOST = '127.0.0.2';

const pages = usePages({
  scripts: ['web/lanes/lanes-page.js', 'protocol/page/lane-message.js', 'sim/link/link-parse.js'],
  path: LANE_SOCKET_PATH,
  parse: parseLanePicture,
});

test('without the token nothing is answered but one sentence, and with it everything', async () => {
  const { url, cookie, seen } = await invited();
  const { host } = new URL(url);
  const requests = [
    ['GET', '/'],
    ['GET', '/web/lanes/lanes-page.js'],
    ['GET', '/summary.json'],
    ['GET', '/lane-1.pcapng'],
    ['POST', '/source?name=film.mp4'],
    ['POST', '/lab'],
  ] as const;
  const origin = `https://${host}`;
  const wrong = cookie.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A'));
  for (const [method, path] of requests) {
    for (const refused of [{}, { cookie: wrong }, { cookie: 'token=' }]) {
      const answer = await askNetwork(url, path, { method, headers: { origin, ...refused } });
      expect([path, answer.status]).toEqual([path, 403]);
      expect(answer.body).toContain('This page opens with the whole address that dropframe printed');
    }
    const answer = await askNetwork(url, path, { method, headers: { origin, cookie }, body: 'x' });
    expect([path, answer.status < 300]).toEqual([path, true]);
  }
  expect(seen).toEqual(['film.mp4', 'scenario']);
});

test('a wrong token is refused, in the address and for another page of the same host', async () => {
  const { url } = await invited();
  expect((await askNetwork(url, '/?token=AAAAAAAAAAAAAAAAAAAAAA')).status).toBe(403);
  expect((await askNetwork(url, '/?token=')).status).toBe(403);
  expect((await askNetwork(url, `/summary.json${new URL(url).search}`)).status).toBe(403);
});

test('silent connections make way for others, and not those that have shown the cookie', async () => {
  const { url, cookie } = await invited();
  const { host, port, hostname } = new URL(url);
  const open = connect({ port: Number(port), host: hostname, rejectUnauthorized: false });
  open.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nCookie: ${cookie}\r\n\r\n`);
  await once(open, 'data');
  const silent = Array.from({ length: 300 }, () =>
    connectTcp(Number(port), hostname)
      .on('error', () => {})
      .resume(),
  );
  onTestFinished(() => {
    for (const socket of [open, ...silent]) socket.destroy();
  });
  await vi.waitFor(async () => {
    expect((await askNetwork(url, '/', { headers: { cookie } })).status).toBe(200);
    const waiting = silent.filter(({ destroyed }) => !destroyed).length;
    expect(waiting).toBeLessThan(65);
    expect(waiting, 'all have timed out').toBeGreaterThan(0);
  }, PATIENCE);
  open.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nCookie: ${cookie}\r\n\r\n`);
  await once(open, 'data');
});

test('exchanges the token for a cookie of this site alone, and goes on without it', async () => {
  const { url } = await invited();
  const { pathname, search, port } = new URL(url);
  const answer = await askNetwork(url, `${pathname}${search}&tour=off&a="<b>`);
  expect(answer.status).toBe(200);
  const token = search.slice('?token='.length);
  expect(token).toMatch(/^[\w-]{22}$/);
  expect(answer.headers['set-cookie']).toEqual([
    `__Host-dropframe-${port}=${token}; Secure; HttpOnly; SameSite=Strict; Path=/`,
  ]);
  expect(answer.body).toContain('content="0;url=/?tour=off&amp;a=%22%3Cb%3E"');
  expect(answer.body).not.toContain(token);
});

test('the WebSocket needs the token and the own origin', async () => {
  const { url, cookie, page } = await invited();
  const { host } = new URL(url);
  const own = `https://${host}`;
  const open = (origin: string, headers: Record<string, string>): Promise<number> =>
    new Promise((resolve) => {
      const address = `wss://${host}${LANE_SOCKET_PATH}`;
      const socket = pages.ending(new WebSocket(address, { origin, headers, rejectUnauthorized: false }));
      socket.on('open', () => resolve(101));
      socket.on('unexpected-response', (_request, { statusCode }) => resolve(statusCode ?? 0));
      socket.on('error', () => {});
    });
  expect(await open(own, {})).toBe(403);
  expect(await open('https://elsewhere.test', { cookie })).toBe(403);
  expect(await open(`http://${host}`, { cookie })).toBe(403);
  expect(page.viewers).toBe(0);
  expect(await open(own, { cookie })).toBe(101);
});

test('under any name of this machine the token and the cookie open the page, and nothing else does', async () => {
  const { url, cookie } = await invited();
  const { port, search } = new URL(url);
  // A name of the network, one of a NAT with its own port, the default port that browsers omit, and a rebound name.
  for (const host of [`studio.local:${port}`, `gate.test:9443`, 'studio.local', `rebound.test:${port}`]) {
    expect((await askNetwork(url, `/${search}`, { headers: { host } })).status).toBe(200);
    expect((await askNetwork(url, '/', { headers: { host, cookie } })).status).toBe(200);
    const refused = await askNetwork(url, '/', { headers: { host } });
    expect(refused.status).toBe(403);
    expect(refused.body).toContain('the whole address that dropframe printed');
  }
});

test.each([
  ['Studio.Local:7081', 'https://studio.local:7081', 200],
  ['studio.local:443', 'https://studio.local', 200],
  ['studio.local', 'https://studio.local', 200],
  ['studio.local', 'https://rebound.test', 405],
  ['studio.local:7081', 'https://studio.local:7082', 405],
  ['studio.local', 'http://studio.local', 405],
])('a command to %s from a page of %s is answered with %d', async (host, origin, status) => {
  const { url, cookie } = await invited();
  const asked = { method: 'POST', headers: { host, origin, cookie }, body: 'x' };
  expect((await askNetwork(url, '/lab', asked)).status).toBe(status);
});

test.each([
  ['127.0.0.1:80', 'http', '127.0.0.1'],
  ['127.0.0.1:8080', 'http', '127.0.0.1:8080'],
  ['Studio.Local:443', 'https', 'studio.local'],
  ['studio.local:80', 'https', 'studio.local:80'],
  ['[::1]:443', 'https', '[::1]'],
] as const)('the host %s of %s is compared as %s', (host, scheme, compared) => {
  expect(comparableHost(host, scheme)).toBe(compared);
});

test('the page of this machine needs no token, and does not know that of the others', async () => {
  const { page } = await invited();
  expect((await ask(page, 'GET', '/', { headers: { host: new URL(page.url).host } })).status).toBe(200);
  expect(page.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
});

test('listens on all addresses, each with its own name in the certificate', async () => {
  const page = await opened({ listen: { host: '0.0.0.0', port: 0 } });
  const { urls, fingerprint } = page.invitation!;
  expect(urls.length).toBeGreaterThan(0);
  for (const url of urls) {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false });
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    const certificate = socket.getPeerX509Certificate()!;
    expect(certificate.fingerprint256.replaceAll(':', '').toLowerCase()).toBe(fingerprint);
    expect(certificate.checkIP(hostname)).toBe(hostname);
    socket.destroy();
  }
});

test('serves no other devices unless it is told to', async () => {
  expect((await opened({})).invitation).toBeUndefined();
});

test('says which address is not of this computer, and which port is in use', async () => {
  await expect(opened({ listen: { host: '198.51.100.7', port: 0 } })).rejects.toThrow(
    'the page cannot be served on 198.51.100.7:0: this machine does not have this address; choose one of its own, or 0.0.0.0 for all',
  );
  const { port } = new URL((await opened({})).url);
  await expect(opened({ listen: { host: '0.0.0.0', port: Number(port) } })).rejects.toThrow(
    `the page cannot be served on 0.0.0.0:${port}: the port is in use; choose another one, or stop the program that uses it`,
  );
});

/** A page with an invitation, the cookie to which its token leads, and the names of what was sent to it. */
async function invited() {
  const seen: string[] = [];
  const page = await opened({
    listen: { host: HOST, port: 0 },
    capture: () => new Uint8Array(1),
    onUpload: async ({ name, folder }) => {
      seen.push(name);
      await folder.remove();
    },
    onScenario: async (scenario) => {
      seen.push('scenario');
      return scenario;
    },
  });
  const [url] = page.invitation!.urls;
  const { pathname, search } = new URL(url!);
  const { headers } = await askNetwork(url!, pathname + search);
  const [cookie] = (headers['set-cookie'] as string[])[0]!.split(';');
  return { page, url: url!, cookie: cookie!, seen };
}

function opened(options: Partial<LanePageOptions>): Promise<LanePage> {
  return openLanePage(pages, options);
}

interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

function askNetwork(url: string, path: string, { method = 'GET', headers = {}, body }: Asked = {}): Promise<Answer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const options = { host: hostname, port, path, method, headers, rejectUnauthorized: false, agent: false };
    const sent = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
