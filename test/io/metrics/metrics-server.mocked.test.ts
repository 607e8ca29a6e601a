import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test, vi } from 'vitest';
import { gauge } from '../../../io/metrics/metric-family.ts';
import { MetricsServer } from '../../../io/metrics/metrics-server.ts';

/** A name that leads to this machine, as in /etc/hosts. */
vi.mock(import('node:dns/promises'), async (load) => {
  const real = await load();
  const lookup = (name: string) => real.lookup(name === 'MyAlias' ? 'localhost' : name, { order: 'ipv4first' });
  return { ...real, lookup: lookup as typeof real.lookup };
});

async function open(host = '127.0.0.1', port = 0): Promise<MetricsServer> {
  const server = await MetricsServer.open({ host, port }, () => [gauge('value', 'Value.', 7)]);
  onTestFinished(() => server.close());
  return server;
}

test('answers with the text format at /metrics', async () => {
  const server = await open();
  const answer = await fetch(server.url);
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(await answer.text()).toBe('# HELP value Value.\n# TYPE value gauge\nvalue 7\n');
  expect((await fetch(server.url, { method: 'HEAD' })).status).toBe(200);
  expect((await fetch(`${server.url}?a=b`)).status).toBe(200);
  expect((await fetch(new URL('/', server.url))).status).toBe(404);
  expect((await fetch(server.url, { method: 'POST' })).status).toBe(405);
});

test('does not answer a page that has pointed its own name at this machine, and says where the figures are', async () => {
  const server = await open();
  for (const host of ['evil.example:9464', '127.0.0.1.evil.example']) {
    expect(await answerFor(server, host)).toEqual({
      status: 421,
      body: `not served by that name: use ${server.url}\n`,
    });
  }
  expect(await answerFor(server, 'localhost:9464')).toMatchObject({ status: 200 });
});

test('answers under the name that it was given, with capitals or without', async () => {
  const server = await open('MyAlias');
  for (const host of ['MyAlias:9464', 'myalias', 'localhost:9464']) {
    expect(await answerFor(server, host)).toMatchObject({ status: 200 });
  }
  expect(await answerFor(server, 'evil.example')).toMatchObject({ status: 421 });
});

test('computes figures for many requests at once, and closes a connection that never ends its requests', async () => {
  let computed = 0;
  const server = await MetricsServer.open({ host: '127.0.0.1', port: 0 }, () => [gauge('value', 'Value.', ++computed)]);
  onTestFinished(() => server.close());
  const { host, port } = new URL(server.url);
  const socket = connect(Number(port), '127.0.0.1');
  socket.write(`GET /metrics HTTP/1.1\r\nHost: ${host}\r\n\r\n`.repeat(40));
  const answers = await text(socket);
  // Those beyond the limit are refused, and the connection ends.
  expect(answers.match(/^HTTP\/1.1 \d+/gm)).toEqual([
    ...Array(16).fill('HTTP/1.1 200'),
    ...Array(24).fill('HTTP/1.1 503'),
  ]);
  expect(computed).toBeLessThan(16);
  await vi.waitUntil(
    async () => (await (await fetch(server.url)).text()).includes(`value ${computed}`) && computed > 1,
    {
      timeout: 30_000,
    },
  );
});

async function answerFor(
  server: MetricsServer,
  host: string,
): Promise<{ readonly status: number; readonly body: string }> {
  const asked = request(server.url, { headers: { host } }).end();
  const [response] = await once(asked, 'response');
  return { status: response.statusCode, body: await text(response) };
}

test('names a port in use and what to do in one line', async () => {
  const { port } = new URL((await open()).url);
  await expect(open('127.0.0.1', Number(port))).rejects.toThrow(
    `metrics cannot be served on 127.0.0.1:${port}: the port is in use; choose another one, or stop the program that uses it`,
  );
});

test('tells whether other machines reach it', async () => {
  expect((await open()).isPublic).toBe(false);
  expect((await open('::1').catch(() => open())).isPublic).toBe(false);
  const server = await open('0.0.0.0');
  expect(server.isPublic).toBe(true);
  const asked = request(server.url, { headers: { host: 'camera.example:9464' } }).end();
  const [response] = await once(asked, 'response');
  response.resume();
  expect(response.statusCode).toBe(200);
});

test('closes at once, with a client that has asked nothing', async () => {
  const server = await open();
  const { port } = new URL(server.url);
  const idle = connect(Number(port), '127.0.0.1');
  idle.on('error', () => {});
  await once(idle, 'connect');
  const gone = once(idle, 'close');
  await server.close();
  await gone;
  await expect(fetch(server.url)).rejects.toThrow();
});
