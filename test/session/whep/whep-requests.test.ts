import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { WhepAccess, type WhepAccessOptions } from '../../../session/whep/whep-access.ts';
import { WhepPage } from '../../../session/whep/whep-page.ts';
import { WhepRequests, type WhepService } from '../../../session/whep/whep-requests.ts';
import type { WhepOutcome } from '../../../session/whep/whep-sessions.ts';
import { BROWSER_OFFER } from '../../protocol/whep/offers.ts';

const SESSION = '0123456789abcdef01234567';
const SDP = { 'Content-Type': 'application/sdp' };
const FRAGMENT = { 'Content-Type': 'application/trickle-ice-sdpfrag' };

/** Serves WHEP requests over HTTP with a session that only exists here. */
async function serve(own: Partial<WhepService> & { access?: WhepAccess; options?: Partial<WhepAccessOptions> } = {}) {
  const ended: string[] = [];
  const created: WhepOutcome = { kind: 'created', id: SESSION, answer: 'v=0\r\n' };
  const requests = new WhepRequests({
    path: 'film',
    access: new WhepAccess({ token: undefined, isLocal: true, ...own.options }),
    page: await WhepPage.read(),
    refusal: () => undefined,
    unavailable: async () => undefined,
    open: async () => created,
    ufragOf: (id) => (id === SESSION && !ended.includes(id) ? 'Wv1x' : undefined),
    end: (id) => ended.push(id) > 0,
    ...own,
  });
  const server = createServer((request, response) => void requests.answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const ask = (path: string, init?: RequestInit) =>
    fetch(`http://127.0.0.1:${port}${path}`, { redirect: 'manual', ...init });
  return { port, ask, ended };
}

test('answers an offer with 201, the answer, and the place of the session', async () => {
  const { ask, ended } = await serve();
  const response = await ask('/film', { method: 'POST', headers: SDP, body: BROWSER_OFFER });
  expect(response.status).toBe(201);
  expect(response.headers.get('content-type')).toBe('application/sdp');
  expect(response.headers.get('location')).toBe(`/film/${SESSION}`);
  expect(response.headers.get('etag')).toMatch(/^".+"$/);
  expect(await response.text()).toBe('v=0\r\n');
  expect((await ask(`/film/${SESSION}`, { method: 'DELETE' })).status).toBe(200);
  expect(ended).toEqual([SESSION]);
  expect((await ask(`/film/${SESSION}`, { method: 'DELETE' })).status).toBe(404);
});

test('shows its page to browsers, and says to others that the place is for offers', async () => {
  const { ask } = await serve();
  const page = await ask('/film', { headers: { Accept: 'text/html,*/*' } });
  expect(page.status).toBe(200);
  expect(await page.text()).toContain('<video');
  expect(page.headers.get('content-security-policy')).toMatch(/script-src 'sha256-[\w+/]{43}='/);
  const other = await ask('/film', { headers: { Accept: '*/*' } });
  expect(other.status).toBe(405);
  expect(other.headers.get('allow')).toContain('POST');
  expect((await ask('/')).headers.get('location')).toBe('/film');
});

test.each([
  ['another type', '/film', { method: 'POST', body: 'v=0' }, 415],
  ['nonsense', '/film', { method: 'POST', headers: SDP, body: 'nonsense' }, 400],
  ['an offer without end', '/film', { method: 'POST', headers: SDP, body: 'v=0\r\n'.repeat(20_000) }, 413],
  ['another stream', '/other', { method: 'POST', headers: SDP, body: BROWSER_OFFER }, 404],
  ['a path below a session', `/film/${SESSION}/x`, { method: 'DELETE' }, 404],
  ['PUT', '/film', { method: 'PUT', body: '' }, 405],
  ['POST to a session', `/film/${SESSION}`, { method: 'POST', headers: SDP, body: BROWSER_OFFER }, 405],
  ['an unknown session', '/film/f00', { method: 'DELETE' }, 404],
  ['candidates of another type', `/film/${SESSION}`, { method: 'PATCH', body: 'x' }, 415],
  ['candidates of nobody', `/film/${SESSION}`, { method: 'PATCH', headers: FRAGMENT, body: 'a=x\r\n' }, 400],
  ['an ICE restart', `/film/${SESSION}`, { method: 'PATCH', headers: FRAGMENT, body: 'a=ice-ufrag:Other\r\n' }, 422],
  ['candidates', `/film/${SESSION}`, { method: 'PATCH', headers: FRAGMENT, body: 'a=ice-ufrag:Wv1x\r\n' }, 204],
  [
    'candidates by the thousand',
    `/film/${SESSION}`,
    {
      method: 'PATCH',
      headers: FRAGMENT,
      body: `a=ice-ufrag:Wv1x\r\n${'a=candidate:1 1 udp 1 10.0.0.1 9 typ host\r\n'.repeat(1_000)}`,
    },
    413,
  ],
  [
    'candidates of an earlier session',
    `/film/${SESSION}`,
    { method: 'PATCH', headers: { ...FRAGMENT, 'If-Match': '"old"' }, body: 'a=ice-ufrag:Wv1x\r\n' },
    412,
  ],
] as const)('answers %s as the protocol wants', async (_, path, init, status) => {
  const { ask, ended } = await serve();
  expect((await ask(path, init)).status).toBe(status);
  expect(ended).toEqual([]);
});

test.each([
  [{ kind: 'no-common-codec', why: 'the stream is H264' }, 406],
  [{ kind: 'refused', why: '4 receivers are being served' }, 503],
] as const)('answers %o with %i and the reason', async (outcome, status) => {
  const { ask } = await serve({ open: async () => outcome });
  const response = await ask('/film', { method: 'POST', headers: SDP, body: BROWSER_OFFER });
  expect(response.status).toBe(status);
  expect(await response.text()).toContain(outcome.why);
  expect(response.headers.has('retry-after')).toBe(status === 503);
});

test('answers 503 with the reason while there is nothing to watch', async () => {
  const { ask } = await serve({ unavailable: async () => 'the stream cannot be encoded: no ffmpeg found' });
  const response = await ask('/film', { method: 'POST', headers: SDP, body: BROWSER_OFFER });
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
  expect(await response.text()).toContain('no ffmpeg found');
});

test('refuses an offer before its body when it cannot be answered soon', async () => {
  const { port } = await serve({ refusal: () => ({ why: 'too many ask for a session at once', retrySeconds: 3 }) });
  const request = connect(port, '127.0.0.1');
  onTestFinished(() => void request.destroy());
  request.write(
    'POST /film HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/sdp\r\nContent-Length: 60000\r\n\r\n',
  );
  const [answer] = await once(request, 'data');
  expect(String(answer)).toMatch(/^HTTP\/1\.1 503 /);
  expect(String(answer)).toMatch(/\r\nRetry-After: 3\r\n/i);
});

test('asks for a token, and gives up on a network that guesses', async () => {
  const { ask } = await serve({ options: { token: 'four-random-words' } });
  const post = (authorization?: string) =>
    ask('/film', { method: 'POST', headers: { ...SDP, ...(authorization && { authorization }) }, body: BROWSER_OFFER });
  const missing = await post();
  expect(missing.status).toBe(401);
  expect(missing.headers.get('www-authenticate')).toBe('Bearer realm="dropframe"');
  expect((await post('Bearer four-random-words')).status).toBe(201);
  expect((await post('Basic four-random-words')).status).toBe(401);
  expect((await ask(`/film/${SESSION}`, { method: 'DELETE' })).status).toBe(401);
  const statuses: number[] = [];
  for (let guess = 0; guess < 22; guess++) statuses.push((await post(`Bearer guess-${guess}`)).status);
  expect(new Set(statuses.slice(0, 20))).toEqual(new Set([401]));
  expect(statuses.at(-1)).toBe(429);
});

test('lets pages of this machine watch, and those of other sites only with a token', async () => {
  const open = await serve();
  const from = (origin: string) => ({ method: 'POST', headers: { ...SDP, Origin: origin }, body: BROWSER_OFFER });
  const near = await open.ask('/film', from('http://localhost:3000'));
  expect(near.status).toBe(201);
  expect(near.headers.get('access-control-allow-origin')).toBe('http://localhost:3000');
  expect(near.headers.get('access-control-expose-headers')).toContain('Location');
  expect((await open.ask('/film', from('https://evil.example'))).status).toBe(403);
  expect((await open.ask('/film', from('http://127.0.0.1.evil.example'))).status).toBe(403);
  const closed = await serve({ options: { token: 'four-random-words' } });
  const preflight = await closed.ask('/film', { method: 'OPTIONS', headers: { Origin: 'https://site.example' } });
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get('access-control-allow-origin')).toBe('*');
  expect(preflight.headers.get('access-control-allow-methods')).toContain('POST');
  expect(preflight.headers.get('accept-post')).toBe('application/sdp');
});

/** Sends bytes and returns what comes back until the connection ends. */
async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.on('data', (bytes) => {
    answer += bytes.toString();
  });
  socket.on('error', () => {});
  socket.write(text);
  await once(socket, 'close');
  return answer;
}

test('is not called by the name of a stranger that leads here', async () => {
  const { port } = await serve();
  const answer = await raw(port, 'GET /film HTTP/1.1\r\nHost: rebound.example\r\nConnection: close\r\n\r\n');
  expect(answer).toMatch(/^HTTP\/1.1 421 /);
});

test('does not wait for a body that does not come', async () => {
  const { port } = await serve();
  const head =
    'POST /film HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/sdp\r\nContent-Length: 1000\r\n\r\n';
  expect(await raw(port, `${head}v=0`)).toMatch(/^HTTP\/1.1 408 /);
});

test('tells a player whose well-formed offer this program could not answer that the fault is here', async () => {
  const { ask } = await serve({ open: async () => ({ kind: 'failed', why: 'a cause for the log' }) });
  const response = await ask('/film', { method: 'POST', headers: SDP, body: BROWSER_OFFER });
  expect([response.status, await response.text()]).toEqual([500, 'internal error of the sender\n']);
});
