import { expect, test } from 'vitest';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { type Instant, instant, milliseconds, seconds, ticks } from '../../protocol/base/units.ts';
import { codecByName } from '../../protocol/codec/codecs.ts';
import { BundledReceiver, type BundledReceiverEvent } from '../../receiver/bundled-receiver.ts';
import { receiverOptions } from '../../receiver/receiver-options.ts';
import { BundledSender } from '../../sender/bundled-sender.ts';
import { Sender } from '../../sender/sender.ts';
import { senderOptions } from '../../sender/sender-options.ts';
import { Link } from '../../sim/link/link.ts';
import { Simulation } from '../../sim/simulation.ts';
import { LiveFeed, SyntheticStream } from '../../sim/synthetic-stream.ts';
import { agreed, link, MEDIA_SSRC, REPORT_SSRC } from '../simulated-session.ts';
import { soundUnits } from '../sound-units.ts';

const SOUND_SSRC = 0x7777_0000;
const START = instant(milliseconds(1));
const OPUS = codecByName('opus');

/** Decode time of the picture of 30 per second with which a unit of sound can leave, 90 kHz. */
const pictureBefore = ({ timestamp }: AccessUnit) => ticks(Math.floor(timestamp / 3_000) * 3_000);

/** Ten seconds of pictures and sound over a link. @param isEarly true when sound leaves with the picture before it. */
function run(text: string, { recordsApart = false, count = 500, isEarly = false } = {}) {
  const latency = milliseconds(150);
  const video = agreed({ latency });
  const sound = agreed({
    latency,
    codec: OPUS,
    ssrc: SOUND_SSRC,
    payloadType: 100,
    retransmission: { ssrc: SOUND_SSRC ^ 1, payloadType: 101 },
    repair: { ssrc: SOUND_SSRC ^ 2, payloadType: 102 },
  });
  const sender = new BundledSender(new Sender(senderOptions(video)), new Sender(senderOptions(sound)));
  sender.expectReportsFrom('video', REPORT_SSRC);
  sender.expectReportsFrom('sound', REPORT_SSRC ^ 1);
  const records = { onLoss: recordsApart ? 'smear' : 'freeze', records: recordsApart } as const;
  const receiver = new BundledReceiver({
    video: receiverOptions(video, { reportSsrc: REPORT_SSRC, ...records }),
    sound: { ...receiverOptions(sound, { reportSsrc: REPORT_SSRC ^ 1 }), ssrc: SOUND_SSRC },
    recordsApart,
  });
  const pictures = new SyntheticStream({
    ...{ framesPerSecond: 30, frameBytes: 4_000, keyFrameBytes: 40_000, keyInterval: 30, frames: 300, seed: 7 },
  });
  const sounds = soundUnits('opus', count).map((unit) =>
    isEarly ? { ...unit, decodeTimestamp: pictureBefore(unit) } : unit,
  );
  const released: { readonly at: Instant; readonly event: BundledReceiverEvent }[] = [];
  let next = 0;
  const feeds = [
    new LiveFeed({
      startAt: START,
      next: () => pictures.next(),
      deliver: (now, unit) => void sender.video.send(now, unit),
      finish: () => sender.video.finish(),
    }),
    new LiveFeed({
      startAt: START,
      next: () => sounds[next++],
      deliver: (now, unit) => void sender.sound!.send(now, unit),
      finish: () => sender.sound!.finish(),
    }),
  ];
  const simulation = new Simulation({
    sender,
    receiver,
    forward: new Link(link(text), 'forward'),
    back: new Link(link(text), 'back'),
    scripts: feeds,
    onReceiverEvent: (at, event) => released.push({ at, event }),
  });
  simulation.runUntil(instant(seconds(10.2)));
  receiver.assertBalanced();
  for (const stream of ['video', 'sound'] as const) {
    const { statistics, lastSequence } = sender[stream]!;
    receiver[stream]!.endOfStream(instant(seconds(10.2)), { frames: statistics.frames, lastSequence });
  }
  simulation.runUntil(instant(seconds(18)));
  receiver.assertBalanced();
  const heard = released.flatMap(({ at, event }) =>
    event.kind === 'sound' && event.event.kind === 'access-unit' ? [{ at, unit: event.event.unit }] : [],
  );
  const shown = released.flatMap(({ at, event }) => (event.kind === 'access-unit' ? [{ at, unit: event.unit }] : []));
  return { sender, receiver, released, heard, shown, sounds };
}

const units = (list: readonly { readonly unit: AccessUnit }[]) => list.map(({ unit }) => unit.parts[0]!);

test('delivers both streams over one path as they were sent, and ends once', () => {
  const { heard, shown, sounds, released } = run('delay=30ms');
  expect(units(heard)).toEqual(sounds.map(({ parts }) => parts[0]!));
  expect(shown).toHaveLength(300);
  expect(released.filter(({ event }) => event.kind === 'ended')).toHaveLength(1);
  expect(released.at(-1)?.event.kind).toBe('ended');
});

test('releases sound and pictures of one time at the same time: one play-out clock', () => {
  const { heard, shown } = run('delay=40ms jitter=8ms seed=2');
  const lag = ({ at, unit }: (typeof heard)[number]) => at - (unit.timestamp * 100) / 9;
  // After the clock has settled.
  const settled = [...heard, ...shown].filter(({ unit }) => unit.timestamp > 180_000).map(lag);
  expect(Math.max(...settled) - Math.min(...settled)).toBeLessThan(milliseconds(2));
});

test('each stream has its own sequence numbers, requests and repair; every packet is in one class', () => {
  const { sender, receiver, heard } = run('loss=5% burst=2 delay=20ms seed=4');
  const { frames, packets, requests } = receiver.sound!.statistics;
  expect(frames.decided).toBe(500);
  expect(packets.decided).toBe(sender.sound!.statistics.packets);
  expect(requests).toBeGreaterThan(10);
  expect(heard.length).toBeGreaterThan(495);
  expect(receiver.video.statistics.packets.decided).toBe(sender.video.statistics.packets);
  expect(sender.video.statistics.foreign + sender.sound!.statistics.foreign).toBe(0);
});

test('sound that leaves with pictures is released with them, at its own time on the timeline', () => {
  const { heard, shown, sounds } = run('delay=30ms', { isEarly: true });
  expect(heard.map(({ unit }) => unit.timestamp)).toEqual(sounds.map(({ timestamp }) => timestamp));
  expect(heard.map(({ unit }) => unit.decodeTimestamp)).toEqual(sounds.map(({ timestamp }) => timestamp));
  // Nothing wakes the receiver for sound alone.
  const instants = new Set(shown.map(({ at }) => at));
  expect(heard.filter(({ at }) => !instants.has(at))).toEqual([]);
});

test('sound that leaves early does not make pictures due earlier', () => {
  const [early, own] = [run('delay=30ms', { isEarly: true }), run('delay=30ms')];
  expect(early.shown.map(({ at }) => at)).toEqual(own.shown.map(({ at }) => at));
});

test('sound that leaves early has the time until its own deadline to be recovered', () => {
  // One round trip of requests is 130 ms, of 150 ms: none fits after the time at which the picture is due.
  const path = 'loss=5% burst=2 delay=62ms seed=4';
  const [early, own] = [run(path, { isEarly: true }), run(path)];
  const concealed = ({ heard }: typeof early) => 500 - heard.length;
  expect(concealed(early)).toBeLessThanOrEqual(concealed(own));
  for (const { at, unit } of early.heard) {
    const dueAt = START + (unit.timestamp * 100) / 9 + milliseconds(62 + 150);
    expect(at).toBeLessThanOrEqual(dueAt + milliseconds(2));
  }
});

test('the recording of the pictures may be another stream than that of the viewer', () => {
  const { heard, released } = run('loss=2% delay=20ms seed=5', { recordsApart: true });
  expect(released.filter(({ event }) => event.kind === 'recorded').length).toBeGreaterThan(290);
  expect(heard.length).toBeGreaterThan(490);
});

test('a datagram of an unknown source is left to the pictures', () => {
  const { receiver } = run('delay=1ms', { count: 1 });
  const before = receiver.video.statistics.foreign;
  receiver.handleDatagram(instant(seconds(19)), Uint8Array.of(0x80, 100, 0, 1, 0, 0, 0, 0, 9, 9, 9, 9, 0xf8));
  expect(receiver.video.statistics.foreign).toBe(before + 1);
  expect(MEDIA_SSRC).not.toBe(SOUND_SSRC);
});
