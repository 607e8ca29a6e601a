import { expect, test } from 'vitest';
import { libraryFunction } from '../../../io/os/c-library.ts';
import type { AdaptiveControl } from '../../../io/sources/adaptive-control.ts';
import type { MediaSource } from '../../../io/sources/media-source.ts';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import { milliseconds } from '../../../protocol/base/units.ts';
import { parseLinkSpecification } from '../../../sim/link/link-parse.ts';
import { SyntheticEncoder } from '../../../sim/synthetic-encoder.ts';
import { until } from '../../io/net/control-peers.ts';
import { madeUpUnits, receive, serve, sourceOf } from '../../loopback-session.ts';
import { optional } from '../../optional.ts';

const withMarks = optional(
  'koffi on Linux',
  libraryFunction('int fcntl(int fd, int command, int argument)') !== undefined,
);
const LIMITS = { bitrateMin: 100_000, bitrateMax: 2_000_000 };

/** Interval of the frames, and how long before its time each is read, milliseconds. */
const [FRAME_MS, LEAD_MS] = [20, 4];

/** A source that follows, without an encoder. `readAt` has the instant of each read, milliseconds. */
function adaptiveSource(): MediaSource & { readonly adaptive: AdaptiveControl; readonly readAt: number[] } {
  const encoder = new SyntheticEncoder({ framesPerSecond: 50, frames: 100_000, seed: 1, ...LIMITS });
  const readAt: number[] = [];
  return {
    ...sourceOf(madeUpUnits(1)),
    readAt,
    adaptive: {
      ...LIMITS,
      setTarget: (bitsPerSecond) => encoder.setTarget(bitsPerSecond),
      requestKeyFrame: () => encoder.requestKeyFrame(),
      get state() {
        return { bitrate: encoder.bitrate, preset: undefined, width: 320, height: 240 };
      },
      leadTime: milliseconds(LEAD_MS),
    },
    async *units() {
      for (let unit = encoder.next(); unit; unit = encoder.next()) {
        readAt.push(performance.now());
        yield unit;
      }
    },
  };
}

test('a receiver gets a key frame on joining late and on request, although the stream has no others', async () => {
  const source = adaptiveSource();
  const { server, sent } = await serve([], { source });
  const first = receive(server.port);
  await until('frames have come', () => first.received.length > 30);
  const keys = (units: readonly AccessUnit[]) => units.filter(({ importance }) => importance === 'key').length;
  expect(keys(sent.slice(0, 20))).toBe(1);
  const second = receive(server.port);
  await until('the second has frames', () => second.received.length > 10);
  expect(second.received[0]!.importance).toBe('key');
  const before = keys(sent);
  first.client.requestKeyFrame();
  await until('another key frame is sent', () => keys(sent) > before);
});

withMarks('a queue marks datagrams of a stream that follows, and the receiver counts them', async () => {
  const { server } = await serve([], { source: adaptiveSource() });
  const link = parseLinkSpecification('rate=1mbit qdisc=codel(target=1ms interval=1ms)');
  if (!link.ok) throw new Error(link.malformed);
  const { client } = receive(server.port, { link: link.value });
  await until('a datagram is marked', () => client.sessions.some(({ congestionMarks }) => congestionMarks > 0));
});

test('an adaptive source is read just before a frame is due, and others are read ahead', async () => {
  const source = adaptiveSource();
  const { server } = await serve([], { source });
  // The stream begins when the receiver is ready, thus later than this.
  const before = performance.now();
  const { received } = receive(server.port);
  await until('frames have come', () => received.length > 60);
  // Each frame is due an interval after the one before. Clocks tick in tenths.
  for (const [index, at] of source.readAt.entries()) {
    expect(at - before, `frame ${index}`).toBeGreaterThan(index * FRAME_MS - LEAD_MS - 0.5);
  }
  expect(server.status.adaptive).toMatchObject({ width: 320, height: 240 });
  await until('the receiver has reported datagrams', () => server.totals.deliveredBytes > 0);
  const { sentBytes, deliveredBytes, meanTarget, followedSeconds } = server.totals;
  expect(deliveredBytes).toBeLessThanOrEqual(sentBytes);
  expect(meanTarget).toBeGreaterThanOrEqual(LIMITS.bitrateMin);
  expect(meanTarget).toBeLessThanOrEqual(LIMITS.bitrateMax);
  expect(followedSeconds).toBeGreaterThan(0);
  expect(server.status.adaptive!.rates!.sent).toBeGreaterThan(0);
  const plain = await serve(madeUpUnits(100));
  receive(plain.server.port);
  await until('it is sent', () => plain.sent.length > 5);
  expect(plain.server.status.adaptive).toBeUndefined();
  expect(plain.server.totals).toMatchObject({ meanTarget: undefined, followedSeconds: 0, deliveredBytes: 0 });
});
