import { expect, test } from 'vitest';
import { now } from '../../../io/os/clock.ts';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import {
  instant,
  later,
  microseconds,
  microsecondsToTicks,
  milliseconds,
  ticks,
} from '../../../protocol/base/units.ts';
import { FRAME_CLASSES } from '../../../protocol/frame-class.ts';
import type { LaneSettings } from '../../../protocol/page/lane-message.ts';
import { isLaneSound, parseLaneSound, serializeLaneSound } from '../../../protocol/page/lane-sound.ts';
import { Lane } from '../../../session/lanes/lane.ts';
import { Lanes } from '../../../session/lanes/lanes.ts';
import { parseLinkSpecification } from '../../../sim/link/link-parse.ts';
import { sampleUnits } from '../../sample-units.ts';
import { soundSource, soundUnits } from '../../sound-units.ts';

const BARE: LaneSettings = {
  transport: 'udp',
  recovery: 'reorder',
  congestionControl: 'cubic',
  latencyMs: 200,
  onLoss: 'smear',
};
const HYBRID: LaneSettings = { ...BARE, recovery: 'hybrid', onLoss: 'freeze' };
const TCP: LaneSettings = { ...BARE, transport: 'tcp' };
/** Picture and units of sound of 20 ms until the next one. */
const FRAME_MS = 40;
const UNIT_MS = 20;

interface Heard {
  readonly unit: AccessUnit;
  readonly number: number;
}

/** Runs a lane with sound for some seconds. @param act is called before each picture. */
function play(settings: LaneSettings, text: string, seconds: number, act?: (lane: Lane, frame: number) => void) {
  const units = soundUnits('opus', (seconds * 1_000) / UNIT_MS);
  const pictures = sampleUnits();
  const heard: Heard[] = [];
  const lane = new Lane({
    settings,
    link: linkOf(text),
    run: 3,
    startsAt: instant(0),
    sound: soundSource('opus', []).description,
    onSound: ({ unit, number }) => heard.push({ unit, number }),
    onKeyFrameRequest: () => {},
    onPicture: () => {},
  });
  for (let ms = 0; ms < seconds * 1_000; ms += UNIT_MS) {
    const now = instant(milliseconds(ms));
    if (ms % FRAME_MS === 0) {
      const frame = ms / FRAME_MS;
      const timestamp = ticks(microsecondsToTicks(milliseconds(ms)));
      const picture = pictures[frame % pictures.length]!;
      act?.(lane, frame);
      lane.send(now, { ...picture, timestamp, decodeTimestamp: timestamp });
    }
    lane.sendSound(now, units[ms / UNIT_MS]!);
  }
  lane.runUntil(instant(milliseconds(seconds * 1_000 + 60_000)));
  const { sound, ...figures } = lane.figures(instant(milliseconds(seconds * 1_000)));
  return { sound: sound!, figures, heard, sent: units, events: lane.takeEvents() };
}

test('the sound of a lane arrives as it was sent, over a clean link', () => {
  for (const settings of [BARE, HYBRID, TCP]) {
    const { sound, heard, sent } = play(settings, 'delay=20ms seed=1', 4);
    expect(heard.map(({ unit }) => unit)).toEqual(sent);
    expect(sound).toEqual({ unitsOnTime: 200, unitsRecovered: 0, unitsLate: 0, unitsLost: 0, concealedMs: 0 });
  }
});

test('lost sound is missing without recovery, comes back with it, and is late over TCP', () => {
  const link = 'loss=5% burst=2 delay=30ms seed=2';
  const bare = play(BARE, link, 12);
  const hybrid = play(HYBRID, link, 12);
  const tcp = play({ ...TCP, latencyMs: 60 }, 'loss=2% delay=30ms seed=2', 12);
  expect(bare.sound.unitsLost).toBeGreaterThan(10);
  expect(bare.sound.concealedMs).toBe(bare.sound.unitsLost * UNIT_MS);
  expect(hybrid.sound.unitsRecovered).toBeGreaterThan(10);
  expect(hybrid.sound.unitsLost).toBeLessThan(bare.sound.unitsLost / 5);
  expect(tcp.sound.unitsLost).toBe(0);
  expect(tcp.sound.unitsLate).toBeGreaterThan(0);
  expect(tcp.heard.map(({ unit }) => unit)).toEqual(tcp.sent);
});

test('each unit is in exactly one class, in the figures and in the events', () => {
  for (const settings of [BARE, HYBRID, TCP]) {
    const { sound, heard, events } = play(settings, 'loss=5% delay=30ms jitter=10ms seed=5', 10);
    const { unitsOnTime, unitsRecovered, unitsLate, unitsLost } = sound;
    expect(unitsOnTime + unitsRecovered + unitsLate + unitsLost).toBe(events.sounds.length);
    expect(new Set(events.sounds.map(([number]) => number)).size).toBe(events.sounds.length);
    const lost = events.sounds.filter(([, , , unitClass]) =>
      ['incomplete', 'neverArrived'].includes(FRAME_CLASSES[unitClass]!),
    );
    expect(lost).toHaveLength(unitsLost);
    expect(heard).toHaveLength(unitsOnTime + unitsRecovered + unitsLate);
    for (const [, capturedMs, decidedMs, , durationMs] of events.sounds) {
      expect(durationMs).toBe(UNIT_MS);
      expect(decidedMs).toBeGreaterThan(capturedMs + 30);
    }
  }
});

test('what is dropped on purpose is of the pictures and of the sound', () => {
  const { sound, figures } = play(BARE, 'delay=20ms seed=1', 4, (lane, frame) => {
    if (frame === 30) lane.dropNext(5);
  });
  expect(figures.packetsLost).toBe(5);
  expect(sound.unitsLost).toBe(5);
});

test('the packets of the sound are not among those of the pictures', () => {
  for (const settings of [HYBRID, TCP]) {
    const { events, figures } = play(settings, 'loss=5% delay=20ms seed=2', 4);
    const frames = new Set(events.frames.map(([frame]) => frame));
    const media = events.sent.filter(([, kind, frame]) => kind === 0 && frame >= 0);
    expect(media.every(([, , frame]) => frames.has(frame))).toBe(true);
    expect(figures.overhead).toBeGreaterThan(0);
  }
});

test('sound waits for the first picture of a lane, and there is none without a description', () => {
  const lane = new Lane({
    settings: HYBRID,
    link: linkOf('delay=20ms'),
    run: 0,
    startsAt: instant(0),
    onKeyFrameRequest: () => {},
    onPicture: () => {},
  });
  lane.sendSound(instant(0), soundUnits('opus', 1)[0]!);
  expect(lane.figures(instant(0)).sound).toBeUndefined();
});

test('messages with sound are read as they were written, and others are not taken for them', () => {
  const sound = { lane: 2, run: 7, number: 12, timestamp: ticks(1_800), durationMs: 20, payload: Uint8Array.of(1, 2) };
  const message = serializeLaneSound(sound);
  expect(isLaneSound(message)).toBe(true);
  expect(parseLaneSound(message)).toEqual({ ok: true, value: sound });
  message[2] = 4;
  expect(parseLaneSound(message)).toEqual({ ok: false, malformed: 'no-such-lane' });
  expect(parseLaneSound(message.subarray(0, 20)).ok).toBe(false);
});

function linkOf(text: string) {
  const link = parseLinkSpecification(text);
  if (!link.ok) throw new Error(link.malformed);
  return link.value;
}

test('sound beside a source of its own timeline, which follows the path, is in time as its pictures are', () => {
  const lanes = new Lanes({
    lanes: [HYBRID, { ...HYBRID, follows: true }],
    link: linkOf('delay=20ms'),
    onPicture: () => {},
  });
  const pictures = sampleUnits();
  const sounds = soundUnits('opus', 300);
  lanes.restart({ codecName: 'h264', parameterSets: [], sound: soundSource('opus', []).description });
  const from = now();
  // The encoder's first picture comes half a second after that of the file.
  const behind = milliseconds(500);
  for (let ms = 0; ms < 6_000; ms += UNIT_MS) {
    const due = later(from, milliseconds(ms));
    const frame = ms / FRAME_MS;
    const at = (time: number) => {
      const timestamp = ticks(microsecondsToTicks(microseconds(time)));
      return { ...pictures[frame % pictures.length]!, timestamp, decodeTimestamp: timestamp };
    };
    if (ms % FRAME_MS === 0) {
      lanes.send(at(milliseconds(ms)), due);
      if (milliseconds(ms) >= behind) lanes.follow({ ...at(milliseconds(ms) - behind), importance: 'key' }, due);
    }
    lanes.sendSound(sounds[ms / UNIT_MS]!, due);
  }
  const [fixed, followed] = lanes.figures;
  lanes.close();
  for (const { sound, ...figures } of [fixed!, followed!]) {
    expect(sound).toMatchObject({ unitsLate: 0, unitsLost: 0, concealedMs: 0 });
    expect(sound!.unitsOnTime).toBeGreaterThan(250);
    expect(figures.framesLost + figures.framesLate).toBe(0);
  }
});
