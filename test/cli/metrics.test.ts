import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { parseExposition } from '../io/metrics/exposition.ts';
import { PATIENCE } from '../patience.ts';
import { dropframe } from './dropframe-process.ts';

type Run = ReturnType<typeof dropframe>;

async function metricsOf(run: Run): Promise<() => Promise<ReadonlyMap<string, number>>> {
  await vi.waitFor(() => expect(run.output.stderr).toMatch(/metrics at http:\S+\/metrics/), PATIENCE);
  const [url] = /http:\S+\/metrics/.exec(run.output.stderr)!;
  return async () => parseExposition(await (await fetch(url)).text()).samples;
}

async function stops(run: Run): Promise<void> {
  run.child.kill('SIGINT');
  expect(await run.ended).toBe(0);
}

test('send and receive tell Prometheus what they send and receive, and stop as before', async () => {
  const sender = dropframe(
    ...['send', 'samples/counter.h264', '--loop', '--no-rtsp', '--listen', '127.0.0.1:0', '--metrics', '127.0.0.1:0'],
  );
  const sent = await metricsOf(sender);
  expect((await sent()).get('dropframe_send_receivers{protocol="dropframe"}')).toBe(0);
  await vi.waitFor(() => expect(sender.output.stderr).toContain('serving'), PATIENCE);
  const [, url] = /at (dropframe:\/\/\S+)/.exec(sender.output.stderr)!;
  const receiver = dropframe('receive', url!, '--play', 'none', '--metrics', '0', '--link', 'loss=5% seed=2');
  const received = await metricsOf(receiver);
  await vi.waitFor(async () => {
    const samples = await received();
    expect(samples.get('dropframe_receive_frames_total{stream="pictures",class="on_time"}')).toBeGreaterThan(5);
    expect(samples.get('dropframe_receive_sessions_total')).toBe(1);
  }, PATIENCE);
  const samples = await sent();
  expect(samples.get('dropframe_send_receivers{protocol="dropframe"}')).toBe(1);
  expect(samples.get('dropframe_send_frames_total{protocol="dropframe"}')).toBeGreaterThan(5);
  await stops(receiver);
  await stops(sender);
});

test('the demo, links and plain senders have figures as well', async () => {
  const runs = [
    dropframe('demo', '--no-open-browser', '--page-port', '0', '--metrics', '0'),
    dropframe('link', '--listen', '127.0.0.1:0', '--to', '127.0.0.1:9', '--metrics', '0'),
    dropframe('send', 'samples/counter.h264', '--loop', '--to', 'udp://127.0.0.1:9', '--metrics', '0'),
  ];
  const [lanes, link, plain] = await Promise.all(runs.map(metricsOf));
  await vi.waitFor(async () => {
    const names = [...(await lanes!()).keys()];
    expect(names.filter((name) => name.startsWith('dropframe_lane_shown_frames_total'))).toHaveLength(4);
  }, PATIENCE);
  expect((await link!()).get('dropframe_link_clients')).toBe(0);
  await vi.waitFor(async () => {
    expect((await plain!()).get('dropframe_send_frames_total{protocol="udp"}')).toBeGreaterThan(0);
  }, PATIENCE);
  await Promise.all(runs.map(stops));
});

test.each([
  ['send', 'samples/counter.h264', '--listen', '127.0.0.1:0', '--no-rtsp'],
  ['receive', '127.0.0.1:9', '--play', 'none'],
  ['link', '--listen', '127.0.0.1:0', '--to', '127.0.0.1:9'],
])('%s ends with one line where the port of the metrics is in use', async (...args) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const run = dropframe(...args, '--metrics', String(port), '--quiet');
  expect(await run.ended).toBe(1);
  expect(run.output.stderr).toBe(
    `dropframe: metrics cannot be served on 127.0.0.1:${port}: the port is in use; choose another one, or stop the program that uses it\n`,
  );
});
