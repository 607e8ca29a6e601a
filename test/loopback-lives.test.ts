import { describe, expect, test } from 'vitest';
import { Failure } from '../io/os/failure.ts';
import type { AccessUnit } from '../protocol/access-unit.ts';
import { until } from './io/net/control-peers.ts';
import { madeUpUnits, receive, serve, sourceOf } from './loopback-session.ts';
import { differences, sameUnit } from './simulated-session.ts';

const FRAMES = 40;

describe.each(['udp', 'tcp'] as const)('over %s', (transport) => {
  test('after a restart of the sender, the picture continues and time does not run backwards', async () => {
    const first = await serve(madeUpUnits(400));
    const { port } = first.server;
    const { received, run, waited, welcomed } = receive(port, { transport });
    await until('the stream runs', () => received.length > 10);
    await first.server.close('restarted');
    const before = received.length;
    const second = await serve(madeUpUnits(30), { port });
    expect(await run).toBe('end-of-stream');
    expect(welcomed).toEqual(['start', 'start']);
    expect(waited[0]).toBe('the sender stopped (restarted)');
    expect(received.length).toBeGreaterThan(before);
    const bytes = (units: readonly AccessUnit[]) => units.map(({ parts }) => Buffer.concat(parts).toString('base64'));
    expect(bytes(received.slice(-30))).toEqual(bytes(second.sent));
    const times = received.map(({ decodeTimestamp }) => decodeTimestamp);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  test('a paused stream stops, and playing continues with the next key frame', async () => {
    const { server, sent } = await serve(madeUpUnits(150));
    const { client, received, run } = receive(server.port, { transport, latencyMs: 50, timeoutMs: 1_200 });
    await until('the stream runs', () => received.length > 5);
    client.setPlaying(false);
    await until('the stream has run on', () => sent.length > received.length + 25);
    const paused = received.length;
    await until('the stream has run on', () => sent.length > paused + 70);
    expect(received.length).toBe(paused);
    client.setPlaying(true);
    expect(await run).toBe('end-of-stream');
    expect(received[paused]?.importance).toBe('key');
    expect(sameUnit(received.at(-1)!, sent.at(-1))).toBe(true);
    expect(received.length).toBeLessThan(sent.length - 60);
  });

  test('a receiver that leaves is removed, and the server waits for the next', async () => {
    const { server, idle } = await serve(madeUpUnits(1_000));
    const { client, received, run } = receive(server.port, { transport });
    await until('the stream runs', () => received.length > 5);
    client.stop();
    expect(await run).toBe('stopped');
    await until('the server has noticed', () => server.status.receivers.length === 0);
    expect(idle).toEqual([undefined]);
    const next = receive(server.port, { transport });
    await until('the stream runs again', () => next.received.length > 5);
    expect(next.welcomed).toEqual(['start']);
  });
});

describe('refused or unserved receivers', () => {
  test('a receiver above the limit is refused with the reason, and the others are not affected', async () => {
    const { server, sent } = await serve(madeUpUnits(FRAMES), { receiversMax: 1 });
    const served = receive(server.port);
    await until('the stream runs', () => sent.length > 2);
    const refused = receive(server.port);
    await expect(refused.run).rejects.toThrow('the sender refused: 1 receivers are being served');
    await expect(refused.run).rejects.toBeInstanceOf(Failure);
    expect(await served.run).toBe('end-of-stream');
    expect(differences(served.received, sent)).toEqual([]);
  });

  test('a receiver whose sender never appears reports it once, and fails with one line', async () => {
    const { server } = await serve([]);
    const { port } = server;
    await server.close('gone');
    const { run, waited } = receive(port, { timeoutMs: 1_200 });
    await expect(run).rejects.toThrow(
      `timeout: no stream from 127.0.0.1:${port} for 1.2 s (no program listens there yet)`,
    );
    expect(waited).toEqual(['no program listens there yet']);
  });

  test('a receiver started first waits for its sender', async () => {
    const probe = await serve([]);
    const { port } = probe.server;
    await probe.server.close('gone');
    const { received, run, waited } = receive(port);
    await until('it waits', () => waited.length === 1);
    const { sent } = await serve(madeUpUnits(FRAMES), { port });
    expect(await run).toBe('end-of-stream');
    expect(differences(received, sent)).toEqual([]);
  });
});

describe('the end', () => {
  test('a stopping sender says goodbye, and a receiver with frames ends successfully', async () => {
    const { server } = await serve(madeUpUnits(1_000));
    const { received, run, waited } = receive(server.port, { timeoutMs: 3_000 });
    await until('the stream runs', () => received.length > 5);
    await server.close('going home');
    expect(await run).toBe('sender-stopped');
    expect(waited[0]).toBe('the sender stopped (going home)');
  });

  test('of the stream does not end the server; the next receiver gets the stream from its start', async () => {
    const { server, sent, idle } = await serve(madeUpUnits(FRAMES));
    const first = receive(server.port, { latencyMs: 2_000 });
    await until('all is sent', () => server.status.receivers[0]?.statistics.frames === FRAMES);
    // The first one still plays its buffer; its session is open.
    await until('the end is reported', () => server.status.receivers.length === 1);
    const second = receive(server.port);
    expect(await second.run).toBe('end-of-stream');
    expect(await first.run).toBe('end-of-stream');
    // A stalled test machine shifts the timestamps of what is sent then, and each run differs.
    expect(differences(first.received, sent.slice(0, FRAMES))).toEqual([]);
    expect(differences(second.received, sent.slice(FRAMES))).toEqual([]);
    const pictures = (units: readonly AccessUnit[]) => units.map(({ parts }) => parts);
    expect(pictures(second.received)).toEqual(pictures(first.received));
    await until('all have left', () => idle.length === 1);
  });

  test('a failing source ends the stream, and its failure is reported', async () => {
    const failing = {
      ...sourceOf([]),
      async *units() {
        yield* madeUpUnits(5);
        throw new Failure('the disk is gone');
      },
    };
    const { server, idle } = await serve([], { source: failing });
    const { received, run } = receive(server.port);
    expect(await run).toBe('end-of-stream');
    expect(received).toHaveLength(5);
    expect((idle[0] as Failure).message).toBe('the disk is gone');
  });
});
