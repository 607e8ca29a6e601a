import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import { type Instant, instant, milliseconds, seconds, ticks } from '../../../protocol/base/units.ts';
import { Link } from '../../../sim/link/link.ts';
import { Simulation } from '../../../sim/simulation.ts';
import { LiveFeed, SyntheticStream } from '../../../sim/synthetic-stream.ts';
import { AccessUnitDeframer, frameAccessUnit } from '../../../sim/tcp/access-unit-framing.ts';
import { TcpMediaReceiver, type TcpMediaReceiverEvent } from '../../../sim/tcp/media-receiver.ts';
import { TcpMediaSender, type TcpMediaSenderEvent, type TcpMediaSenderOptions } from '../../../sim/tcp/media-sender.ts';
import { TCP_DEFAULTS } from '../../../sim/tcp/tcp-options.ts';
import { differences, link } from '../../simulated-session.ts';

interface SessionResult {
  readonly sent: readonly AccessUnit[];
  readonly written: readonly TcpMediaSenderEvent[];
  readonly received: readonly (TcpMediaReceiverEvent & { readonly kind: 'access-unit' })[];
  readonly last: TcpMediaReceiverEvent | undefined;
  readonly handedAt: readonly Instant[];
  readonly sender: TcpMediaSender;
}

/** A unit of sound, which can always be decoded. */
const SOUND: AccessUnit = {
  parts: [new Uint8Array(160)],
  timestamp: ticks(0),
  decodeTimestamp: ticks(0),
  importance: 'key',
};

/** @param soundUnits units of sound after each picture. */
function runSession(
  forward: string,
  frames: number,
  options: Partial<TcpMediaSenderOptions> = {},
  soundUnits = 0,
): SessionResult {
  const common = { ...TCP_DEFAULTS, congestionControl: 'reno' as const };
  const sender = new TcpMediaSender({
    ...common,
    localPort: 5_000,
    remotePort: 6_000,
    initialSequence: 0xffff_0000,
    openAt: instant(0),
    ...options,
  });
  const receiver = new TcpMediaReceiver({ ...common, localPort: 6_000, remotePort: 5_000, initialSequence: 7 });
  const stream = new SyntheticStream({
    framesPerSecond: 30,
    frameBytes: 14_000,
    keyFrameBytes: 40_000,
    keyInterval: 30,
    frames,
    seed: 1,
  });
  const sent: AccessUnit[] = [];
  const written: TcpMediaSenderEvent[] = [];
  const events: TcpMediaReceiverEvent[] = [];
  const handedAt: Instant[] = [];
  const simulation = new Simulation({
    sender,
    receiver,
    forward: new Link(link(forward), 'forward'),
    back: new Link(link('delay=25ms'), 'back'),
    scripts: [
      new LiveFeed({
        startAt: instant(seconds(1)),
        next: () => stream.next(),
        deliver: (now, unit) => {
          handedAt.push(now);
          sent.push(unit);
          sender.send(now, unit);
          for (let more = 0; more < soundUnits; more++) sender.send(now, SOUND, 'sound');
        },
        finish: () => sender.finish(),
      }),
    ],
    onSenderEvent: (_, event) => written.push(event),
    onReceiverEvent: (_, event) => events.push(event),
  });
  simulation.runUntil(instant(seconds(200)));
  const received = events.flatMap((event) => (event.kind === 'access-unit' ? [event] : []));
  return { sent, written, received, last: events.at(-1), handedAt, sender };
}

const unit = fc.record({
  parts: fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 4 }),
  timestamp: fc.integer({ min: -(2 ** 40), max: 2 ** 50 }).map((n) => ticks(n)),
  lead: fc.nat(900_000),
  importance: fc.constantFrom('key' as const, 'reference' as const, 'discardable' as const),
});

test('access units survive a byte stream cut at any place', () => {
  fc.assert(
    fc.property(fc.array(unit, { maxLength: 6 }), fc.integer({ min: 1, max: 60 }), (drafts, step) => {
      const units = drafts.map(({ lead, ...rest }) => ({ ...rest, decodeTimestamp: ticks(rest.timestamp - lead) }));
      const stream = Buffer.concat(units.map((each, frame) => frameAccessUnit(frame, each)));
      const deframer = new AccessUnitDeframer();
      const out: unknown[] = [];
      for (let at = 0; at < stream.length; at += step) {
        const whole = deframer.push(stream.subarray(at, at + step));
        expect(whole).not.toBe('malformed');
        if (whole !== 'malformed') out.push(...whole.map(({ frame, unit: each }) => [frame, each]));
      }
      expect(out).toEqual(units.map((each, frame) => [frame, each]));
    }),
  );
});

test('the deframer never throws, and reports an invalid stream', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array()), (chunks) => {
      const deframer = new AccessUnitDeframer();
      for (const chunk of chunks) deframer.push(chunk);
    }),
  );
  expect(new AccessUnitDeframer().push(new Uint8Array(8).fill(0xff))).toBe('malformed');
});

test('the receiver outputs the units given to the sender, over a path with 3 % loss', () => {
  const { sent, received, last, handedAt } = runSession('loss=3% delay=25ms seed=3', 90);
  expect(
    differences(
      received.map((event) => event.unit),
      sent,
    ),
  ).toEqual([]);
  expect(last).toEqual({ kind: 'ended' });
  const delays = received.map(({ completeAt, frame }) => completeAt - handedAt[frame]!);
  expect(Math.min(...delays)).toBe(milliseconds(25));
  expect(Math.max(...delays)).toBeGreaterThan(milliseconds(75));
});

test('on a clean path frames arrive after the one-way delay, the first one as its window allows', () => {
  const { received, handedAt, sender } = runSession('delay=25ms', 60);
  const delays = received.map(({ completeAt, frame }) => completeAt - handedAt[frame]!);
  // 40,000 bytes are 28 segments: ten at first, the rest one round trip later.
  expect(delays[0]).toBe(milliseconds(75));
  expect(delays.slice(3).filter((delay) => delay !== milliseconds(25))).toEqual([]);
  expect(sender.connection.counters).toMatchObject({ retransmittedBytes: 0, timeouts: 0 });
});

test('a sender with little unsent data discards old units without sending them', () => {
  const path = 'loss=5% delay=25ms seed=3';
  const naive = runSession(path, 120);
  const bounded = runSession(path, 120, { unsentBytesMax: 16 * 1_024, waitMax: milliseconds(200) });
  const givenUp = bounded.written.flatMap((event) => (event.kind === 'given-up' ? [event.frame] : []));
  expect(givenUp.length).toBeGreaterThan(0);
  expect(bounded.received.length + givenUp.length).toBe(120);
  expect(bounded.received.map(({ frame }) => frame).filter((frame) => givenUp.includes(frame))).toEqual([]);
  // Decoding resumes at a key frame after each discarded unit.
  for (const [index, { frame, unit: each }] of bounded.received.entries()) {
    const follows = index === 0 || bounded.received[index - 1]!.frame === frame - 1;
    if (!follows) expect(each.importance).toBe('key');
  }
  const latest = (result: SessionResult) =>
    Math.max(...result.received.map(({ completeAt, frame }) => completeAt - result.handedAt[frame]!));
  expect(naive.received).toHaveLength(120);
  expect(latest(bounded)).toBeLessThan(latest(naive) / 3);
});

test('carries sound beside the pictures, each counted by itself', () => {
  const streams = fc.array(fc.tuple(unit, fc.constantFrom('video' as const, 'sound' as const)), { maxLength: 8 });
  fc.assert(
    fc.property(streams, (drafts) => {
      const frames = { video: 0, sound: 0 };
      const sent = drafts.map(([{ lead, ...draft }, stream]) => {
        const whole: AccessUnit = { ...draft, decodeTimestamp: ticks(draft.timestamp - lead) };
        return { stream, frame: frames[stream]++, unit: whole };
      });
      const deframer = new AccessUnitDeframer();
      const received = sent.map((each) => deframer.push(frameAccessUnit(each.frame, each.unit, each.stream)));
      expect(received).toEqual(sent.map((each) => [expect.objectContaining(each)]));
    }),
  );
});

test('pictures wait for a key frame after one was given up, whatever sound comes between', () => {
  const options = { unsentBytesMax: 16 * 1_024, waitMax: milliseconds(200) };
  const { received, written } = runSession('loss=5% delay=25ms seed=3', 120, options, 2);
  const of = (stream: 'video' | 'sound') => ({
    received: received.filter((event) => event.stream === stream),
    givenUp: written.flatMap((event) => (event.kind === 'given-up' && event.stream === stream ? [event.frame] : [])),
  });
  const [video, sound] = [of('video'), of('sound')];
  expect(video.givenUp.length).toBeGreaterThan(0);
  expect(video.received.length + video.givenUp.length).toBe(120);
  expect(sound.received.length + sound.givenUp.length).toBe(240);
  for (const [index, { frame, unit: each }] of video.received.entries()) {
    if (index > 0 && video.received[index - 1]!.frame !== frame - 1) expect(each.importance).toBe('key');
  }
  // Pictures are given up to the next key frame; sound that is not old is not.
  expect(sound.givenUp.length / 240).toBeLessThan(video.givenUp.length / 120);
});

test('equal seeds give equal times, and different seeds differ', () => {
  const times = (seed: number) =>
    runSession(`loss=2% delay=25ms seed=${seed}`, 60, { congestionControl: 'bbr' }).received.map(
      ({ completeAt }) => completeAt,
    );
  expect(times(1)).toEqual(times(1));
  expect(times(1)).not.toEqual(times(2));
});
