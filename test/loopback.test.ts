import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openMediaSource } from '../io/sources/open-source.ts';
import type { AccessUnit } from '../protocol/access-unit.ts';
import { SyntheticStream } from '../sim/synthetic-stream.ts';
import { until } from './io/net/control-peers.ts';
import { SAMPLES } from './io/sources/media.ts';
import { HAS_IPV6, madeUpUnits, receive, serve } from './loopback-session.ts';
import { optional } from './optional.ts';
import { sampleUnits } from './sample-units.ts';
import { differences, link } from './simulated-session.ts';

const COPY = { encode: 'copy', bitrate: 1_000_000, gop: 30, warn: () => {} } as const;

const FRAMES = 40;

describe('a film with one key frame over a path that loses packets', () => {
  test.each(['nack', 'hybrid'] as const)('is recorded whole and in order, by %s', async (recovery) => {
    const stream = new SyntheticStream({
      framesPerSecond: 50,
      frameBytes: 3_000,
      keyFrameBytes: 25_000,
      keyInterval: 10_000,
      frames: 200,
      seed: 1,
    });
    const { server, sent } = await serve(Array.from({ length: 200 }, () => stream.next()!));
    // Too short for a second request, so that packets lost twice are mended.
    const lossy = { latencyMs: 40, link: link('loss=6% burst=2 delay=10ms seed=4') };
    const { client, received, run } = receive(server.port, { transport: 'udp', recovery, ...lossy });
    expect(await run).toBe('end-of-stream');
    expect(differences(received, sent)).toEqual([]);
    const { onTime, recovered, late, mended, decided } = client.sessions[0]!.frames;
    expect(decided).toBe(200);
    expect(onTime + recovered + late + mended).toBe(200);
  });
});

describe.each(['udp', 'tcp'] as const)('over %s', (transport) => {
  test('the received stream equals the sent one', async () => {
    const { server, sent } = await serve(madeUpUnits(FRAMES));
    const { received, run, client } = receive(server.port, { transport });
    expect(await run).toBe('end-of-stream');
    expect(differences(received, sent)).toEqual([]);
    expect(client.sessions).toHaveLength(1);
    expect(client.sessions[0]?.frames).toMatchObject({ decided: FRAMES, onTime: FRAMES });
  });

  test('our own sample is received unchanged', async () => {
    const units = sampleUnits().slice(0, 45);
    const { server, sent } = await serve(units);
    const { received, run } = receive(server.port, { transport });
    expect(await run).toBe('end-of-stream');
    // A stalled test machine shifts timestamps; nothing else may change.
    const media = (of: readonly AccessUnit[]) => of.map(({ parts }) => parts);
    expect(media(sent)).toEqual(media(units));
    expect(differences(received, sent)).toEqual([]);
  });

  test('HEVC is received unchanged, as the stream that was announced', async () => {
    const source = await openMediaSource(join(SAMPLES, 'small.h265'), COPY);
    const { server, sent } = await serve([], { source });
    const { received, run } = receive(server.port, { transport });
    expect(await run).toBe('end-of-stream');
    expect(sent).toHaveLength(75);
    expect(differences(received, sent)).toEqual([]);
    await source.close();
  });

  test('two receivers get the same stream in separate sessions', async () => {
    const { server, sent } = await serve(madeUpUnits(FRAMES));
    const both = [receive(server.port, { transport }), receive(server.port, { transport, latencyMs: 300 })];
    expect(await Promise.all(both.map(({ run }) => run))).toEqual(['end-of-stream', 'end-of-stream']);
    const [first, second] = both;
    expect(differences(first!.received, sent)).toEqual([]);
    // The second may have joined after the first frames; it then begins at a key frame.
    expect(second?.received[0]?.importance).toBe('key');
    expect(differences(second!.received, sent.slice(-second!.received.length))).toEqual([]);
  });

  test('a late joiner begins with a key frame and gets everything from there on', async () => {
    const { server, sent } = await serve(madeUpUnits(100));
    const early = receive(server.port, { transport });
    await until('the stream runs', () => sent.length > 15);
    const late = receive(server.port, { transport });
    expect(await Promise.all([early.run, late.run])).toEqual(['end-of-stream', 'end-of-stream']);
    expect([...early.welcomed, ...late.welcomed]).toEqual(['start', 'live']);
    const missed = sent.length - late.received.length;
    expect(missed).toBeGreaterThan(15);
    expect(missed % 10).toBe(0);
    expect(differences(late.received, sent.slice(missed))).toEqual([]);
    expect(late.client.sessions[0]?.frames.decided).toBe(late.received.length);
  });

  test('a lossy path inside the process causes the expected loss', async () => {
    const { server, sent } = await serve(madeUpUnits(100));
    const lossy = link('loss=5% delay=10ms seed=2');
    const { client, received, run } = receive(server.port, { transport, link: lossy });
    expect(await run).toBe('end-of-stream');
    // Half a second allows more rounds of requests than there are consecutive losses.
    expect(differences(received, sent)).toEqual([]);
    const { frames } = client.sessions[0]!;
    if (transport === 'udp') expect(frames.recovered).toBeGreaterThan(0);
    else expect(frames.recovered).toBe(0);
  });
});

describe('over tcp with a link', () => {
  test('loss delays frames but loses none, and the model reports its cost', async () => {
    const { server, sent } = await serve(madeUpUnits(150));
    const path = { link: link('loss=5% delay=40ms seed=2'), congestionControl: 'bbr' as const };
    const { client, received, run } = receive(server.port, { transport: 'tcp', latencyMs: 60, ...path });
    expect(await run).toBe('end-of-stream');
    expect(differences(received, sent)).toEqual([]);
    const { frames } = client.sessions[0]!;
    // A retransmission adds a round trip of 80 ms.
    expect(frames.late).toBeGreaterThan(0);
    expect(frames.onTime + frames.late).toBe(sent.length);
    const [counters] = client.modeledTcp;
    expect(counters!.fastRetransmissions).toBeGreaterThan(0);
    expect(counters!.segments).toBeGreaterThan(client.segments!);
  });

  test('the sender waits for a receiver that is far behind when the stream ends', async () => {
    const { server, sent } = await serve(madeUpUnits(100));
    // Two seconds of 2 Mb/s through a quarter of that: longer than a sender waits for a receiver without progress.
    const path = { link: link('rate=500kbit queue=500ms delay=10ms'), congestionControl: 'cubic' as const };
    const { client, received, run, waited } = receive(server.port, { transport: 'tcp', latencyMs: 100, ...path });
    expect(await run).toBe('end-of-stream');
    expect(waited).toEqual([]);
    expect(differences(received, sent)).toEqual([]);
    expect(client.sessions[0]?.frames.late).toBeGreaterThan(0);
  });
});

describe('over udp without recovery', () => {
  test('packets lost on the path are reported and counted', async () => {
    const { server, sent } = await serve(madeUpUnits(100));
    const { client, received, run } = receive(server.port, {
      recovery: 'none',
      onLoss: 'smear',
      link: link('loss=10% seed=3'),
    });
    expect(await run).toBe('end-of-stream');
    const { frames } = client.sessions[0]!;
    expect(frames.decided).toBe(sent.length);
    expect(frames.onTime).toBe(received.length);
    expect(frames.incomplete + frames.neverArrived + frames.undecodable).toBe(sent.length - received.length);
    expect(received.length).toBeLessThan(sent.length);
  });
});

optional('IPv6 on the loopback interface', HAS_IPV6)('IPv6 carries control and media alike', async () => {
  for (const transport of ['udp', 'tcp'] as const) {
    const { server, sent } = await serve(madeUpUnits(FRAMES), { host: '::1' });
    const { received, run } = receive(server.port, { host: '::1', transport });
    expect(await run).toBe('end-of-stream');
    expect(differences(received, sent)).toEqual([]);
  }
});
