import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tryNamespaces } from '../../../io/os/network-namespace.ts';
import { until } from '../../io/net/control-peers.ts';
import { madeUpUnits, receive, serve } from '../../loopback-session.ts';
import { optional } from '../../optional.ts';
import { middlebox } from './middlebox.ts';

/** Frames of a stream that outlasts each of these stories: half a minute. */
const LONG = 1_500;

test('a receiver to which a NAT gives another port proves it and continues in the same session', async () => {
  const { server } = await serve(madeUpUnits(LONG));
  const box = await middlebox(server.port);
  // Time for the recovery of what the old port received, whatever else the machine does meanwhile.
  const { client, received } = receive(box.port, { latencyMs: 8_000, timeoutMs: 60_000 });
  await until('a frame has come', () => received.length > 0);
  box.rebind();
  const before = received.length;
  await until('more frames have come', () => received.length > before + 120);
  expect(client.sessions).toHaveLength(1);
  expect(client.sessions[0]?.frames.neverArrived).toBe(0);
});

test('a receiver that no datagram reaches falls back to TCP with a notice', async () => {
  const { server } = await serve(madeUpUnits(LONG));
  const box = await middlebox(server.port);
  box.block(true);
  const { client, received, notices } = receive(box.port, { transport: 'auto' });
  await until('frames have come', () => received.length > 5);
  expect(notices).toEqual(['tcp-instead']);
  expect(client.transports).toEqual(['udp', 'tcp']);
  expect(client.sessionCauses).toEqual(['first', 'tcp-instead']);
});

test('a receiver reports blocked UDP when UDP is forced', async () => {
  const { server } = await serve(madeUpUnits(LONG));
  const box = await middlebox(server.port);
  box.block(true);
  const { run, notices } = receive(box.port, { timeoutMs: 4_000 });
  await expect(run).rejects.toThrow(/answers on TCP, but no datagram .* block UDP port \d+; use --transport tcp/);
  expect(notices).toEqual(['no-datagrams']);
});

test('frames sent while UDP was blocked count as lost, and the stream continues in a new session', async () => {
  const { server } = await serve(madeUpUnits(LONG));
  const box = await middlebox(server.port);
  const { client, received, notices } = receive(box.port, { latencyMs: 200 });
  await until('frames have come', () => received.length > 10);
  box.block(true);
  await until('lost frames are counted', () => (client.sessions[0]?.frames.neverArrived ?? 0) > 15);
  await until('the silence is reported', () => notices.includes('path-silent'));
  box.block(false);
  const before = received.length;
  await until('frames come again', () => received.length > before + 10);
  expect(client.sessions.length).toBeGreaterThan(1);
  expect(new Set(client.sessionCauses.slice(1))).toEqual(new Set(['path-silent']));
  for (const { frames } of client.sessions) {
    const { decided, onTime, recovered, late, overdue, incomplete, neverArrived, undecodable } = frames;
    expect(onTime + recovered + late + overdue + incomplete + neverArrived + undecodable).toBe(decided);
  }
});

test('a sender that listens on a name is reached by that name', async () => {
  const { server } = await serve(madeUpUnits(20), { host: 'localhost' });
  const { run, received } = receive(server.port, { host: 'localhost' });
  await expect(run).resolves.toBe('end-of-stream');
  expect(received).toHaveLength(20);
});

const namespaces = await tryNamespaces();

optional('network namespaces', 'arguments' in namespaces)('detects a smaller MTU without losing datagrams', () => {
  const script = `ip link set lo mtu 1000 up && exec "$0" --import tsx "$1"`;
  const arguments_ = 'arguments' in namespaces ? namespaces.arguments : [];
  const file = join(import.meta.dirname, 'small-path.ts');
  const output = execFileSync('unshare', [...arguments_, 'sh', '-c', script, process.execPath, file], {
    encoding: 'utf8',
  });
  // 1,000 bytes without 20 of IP and 8 of UDP.
  expect(JSON.parse(output)).toEqual({ onTime: 360, total: 360, found: ['of 972 bytes'] });
});
