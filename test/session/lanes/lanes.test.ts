import { expect, test } from 'vitest';
import { now as clockNow } from '../../../io/os/clock.ts';
import { instant, later, milliseconds, ticks } from '../../../protocol/base/units.ts';
import { FRAME_CLASSES, type FrameClass } from '../../../protocol/frame-class.ts';
import { UDP_IP_HEADER_BYTES } from '../../../protocol/ip-packet.ts';
import type { LaneRates, LaneSettings } from '../../../protocol/page/lane-message.ts';
import { parseRtpPacket, type RtpPacket } from '../../../protocol/rtp/rtp-packet.ts';
import { Lane } from '../../../session/lanes/lane.ts';
import { Lanes } from '../../../session/lanes/lanes.ts';
import { parseLinkSpecification } from '../../../sim/link/link-parse.ts';
import type { LinkSpecification } from '../../../sim/link/link-specification.ts';
import { MEDIA_SSRC } from '../../../sim/simulated-stream.ts';
import { SyntheticEncoder } from '../../../sim/synthetic-encoder.ts';
import { readPcapng } from '../../io/capture/pcapng.ts';
import { sampleUnits } from '../../sample-units.ts';

const BASE: LaneSettings = {
  transport: 'udp',
  recovery: 'hybrid',
  congestionControl: 'cubic',
  latencyMs: 200,
  onLoss: 'freeze',
};
const BARE: LaneSettings = { ...BASE, recovery: 'none' };
const TCP: LaneSettings = { ...BASE, transport: 'tcp' };
const FRAME_MS = 33;
const START_MS = 60_000;

test('shows every frame on time over a clean link, with every strategy', () => {
  for (const settings of [BARE, BASE, TCP]) {
    const story = play(settings, 'delay=20ms seed=1', { frames: 300 });
    const { framesOnTime, framesRecovered, framesLate, framesMended, framesLost, freezes } = story.figures;
    expect({ framesRecovered, framesLate, framesMended, framesLost, freezes }, settings.transport).toEqual({
      framesRecovered: 0,
      framesLate: 0,
      framesMended: 0,
      framesLost: 0,
      freezes: 0,
    });
    // The last frames are not due yet.
    expect(framesOnTime).toBeGreaterThan(285);
    expect(story.shown).toBe(framesOnTime);
  }
});

test('loses frames over UDP reorder, is late over TCP, and neither over UDP hybrid', () => {
  const link = 'loss=5% burst=2 delay=30ms seed=1';
  const bare = play(BARE, link, { frames: 900 }).figures;
  const hybrid = play(BASE, link, { frames: 900 }).figures;
  const tcp = play(TCP, link, { frames: 900 }).figures;
  expect(bare.framesLost).toBeGreaterThan(300);
  expect(bare.lagMsP95).toBeLessThan(250);
  expect(hybrid.framesLost + hybrid.framesLate + hybrid.framesMended).toBeLessThan(bare.framesLost / 10);
  expect(hybrid.lagMsP95).toBeLessThan(250);
  expect(tcp.framesLost).toBe(0);
  expect(tcp.framesLate).toBeGreaterThan(0);
  expect(tcp.lagMsP95).toBeGreaterThan(300);
});

test('shows late frames over TCP, over UDP only the newest of them, and counts the frames shown', () => {
  // Jitter beyond the latency, without reordering: many frames are late, none is lost.
  const link = 'delay=30ms jitter=60ms order=kept seed=1';
  for (const settings of [BARE, TCP]) {
    const { figures, shown } = play({ ...settings, latencyMs: 20 }, link, { frames: 300 });
    const inTime = figures.framesOnTime + figures.framesRecovered;
    expect(figures.framesLate, settings.transport).toBeGreaterThan(10);
    expect(figures.framesShown, settings.transport).toBe(shown);
    const shownLate = shown - inTime;
    if (settings.transport === 'tcp') expect(shownLate).toBe(figures.framesLate);
    else expect(shownLate).toBeLessThan(figures.framesLate / 10);
  }
});

test('shows the next frame within two round trips and two frames of the deadline after five drops, with one key frame', () => {
  // No answer can be in time: the round trip is longer than the latency.
  for (const recovery of ['nack', 'hybrid'] as const) {
    const at = { 60: (lane: Lane) => lane.dropNext(5) };
    const settings = { ...BASE, recovery, latencyMs: 20 };
    const { figures, events, shown } = play(settings, 'delay=60ms seed=1', { frames: 200, at, keyFrames: 1 });
    const { framesOnTime, framesRecovered, framesLate, framesMended, framesLost, packetsLost, freezes } = figures;
    expect({ packetsLost, framesLost, freezes }, recovery).toEqual({ packetsLost: 5, framesLost: 0, freezes: 0 });
    expect(framesMended, recovery).toBeGreaterThan(0);
    expect(figures.framesShown, recovery).toBe(framesOnTime + framesRecovered + framesLate);
    expect(shown, recovery).toBe(figures.framesShown);
    const isShown = new Set(['onTime', 'recovered', 'late'].map((fate) => FRAME_CLASSES.indexOf(fate as FrameClass)));
    const shownMs = events.frames.filter(([, , , , fate]) => isShown.has(fate)).map(([, , , decidedMs]) => decidedMs);
    const gaps = shownMs.map((ms, index) => ms - (shownMs[index - 1] ?? ms));
    // One frame from the last shown one to the deadline of the missing one.
    expect(Math.max(...gaps), recovery).toBeLessThanOrEqual(FRAME_MS + 2 * 120 + 2 * FRAME_MS);
  }
});

test('follows a path that becomes narrow, and shows what a fixed rate loses', () => {
  const at = {
    90: (lane: Lane, now: number) => lane.reconfigure(instant(now), linkOf('delay=20ms rate=400kbit queue=500ms')),
    240: (lane: Lane, now: number) => lane.reconfigure(instant(now), linkOf('delay=20ms rate=4mbit queue=500ms')),
  };
  const wide = 'delay=20ms rate=4mbit queue=500ms';
  const missed = ({ figures: { framesLate, framesMended, framesLost } }: ReturnType<typeof play>) =>
    framesLate + framesMended + framesLost;
  const fixed = play(BASE, wide, { frames: 360, at });
  const rates: LaneRates[] = [];
  const takeRates = (lane: Lane, now: number): void => void rates.push(lane.takeRates(instant(now)));
  const looks = { 60: takeRates, 89: takeRates, 180: takeRates, 239: takeRates, 359: takeRates };
  const range = { bitrateMin: 100_000, bitrateMax: 3_000_000 };
  const encoder = new SyntheticEncoder({ ...range, framesPerSecond: 30, frames: 360, seed: 1 });
  const followed = play({ ...BASE, follows: true }, wide, { frames: 360, at: { ...at, ...looks }, encoder });
  expect(missed(fixed)).toBeGreaterThan(60);
  expect(missed(followed)).toBeLessThan(missed(fixed) / 4);
  const [, before, , narrow, after] = rates;
  expect(narrow!.delivered).toBeLessThan(410_000);
  expect(narrow!.target).toBeLessThan(410_000);
  expect(before!.delivered).toBeGreaterThan(3 * narrow!.delivered);
  expect(after!.target).toBeGreaterThan(3 * narrow!.target!);
});

test('asks its source for a key frame when it starts in the middle of a group, and goes on from it', () => {
  let asked = 0;
  const lane = new Lane({
    settings: { ...BASE, follows: true },
    link: linkOf('delay=20ms seed=1'),
    run: 0,
    startsAt: instant(milliseconds(START_MS)),
    onKeyFrameRequest: () => asked++,
    onPicture: () => {},
  });
  const [key, reference] = [sampleUnits()[0]!, sampleUnits()[1]!];
  expect(reference.importance).not.toBe('key');
  lane.send(instant(milliseconds(START_MS + 33)), reference);
  expect(asked).toBe(1);
  lane.send(instant(milliseconds(START_MS + 66)), key);
  lane.send(instant(milliseconds(START_MS + 99)), reference);
  expect(asked).toBe(1);
  expect(lane.figures(instant(milliseconds(START_MS + 200))).packets).toBeGreaterThan(1);
});

test('repeats a run exactly with the same seed', () => {
  const events = () => play(BASE, 'loss=5% burst=3 delay=20ms jitter=10ms seed=4', { frames: 60 }).events;
  expect(events()).toEqual(events());
});

test('loses the packets that are dropped on purpose, and no others', () => {
  for (const settings of [BARE, TCP]) {
    const { events } = play(settings, 'delay=20ms seed=1', { frames: 90, at: { 30: (lane) => lane.dropNext(5) } });
    const lost = events.sent.filter(([, , , , gone]) => gone === 1);
    expect(lost).toHaveLength(5);
  }
});

test('holds TCP segments after a gap until the gap is filled', () => {
  const { events } = play(TCP, 'delay=20ms seed=1', { frames: 90, at: { 30: (lane) => lane.dropNext(3) } });
  const held = events.arrived.filter(([, , waits]) => waits === 1).map(([number]) => number);
  expect(held.length).toBeGreaterThan(3);
  expect(events.freed.map(([number]) => number).sort((a, b) => a - b)).toEqual(held.sort((a, b) => a - b));
  const plain = play(TCP, 'delay=20ms seed=1', { frames: 90 });
  expect(plain.events.freed).toEqual([]);
});

test('reports every packet with its frame, retransmissions included', () => {
  for (const settings of [BASE, TCP]) {
    const { events } = play(settings, 'loss=5% delay=20ms seed=2', { frames: 120 });
    const frames = new Map(events.frames.map(([frame, capturedMs]) => [frame, capturedMs]));
    const media = events.sent.filter(([, kind, frame]) => kind < 2 && frames.has(frame));
    expect(media.length).toBeGreaterThan(200);
    for (const [, , frame, sentMs] of media) expect(sentMs).toBeGreaterThanOrEqual(frames.get(frame)! - 0.01);
  }
});

test('applies a new delay from then on', () => {
  const later = linkOf('delay=120ms seed=1');
  const before = play(BASE, 'delay=20ms seed=1', { frames: 60 }).figures.lagMsP95!;
  const after = play(BASE, 'delay=20ms seed=1', {
    frames: 300,
    at: { 30: (lane, now) => lane.reconfigure(instant(now), later) },
  });
  expect(before).toBeLessThan(230);
  expect(after.figures.lagMsP95).toBeGreaterThan(300);
});

test('sends frames at their own times even if a busy machine delivers them in a burst', () => {
  const lanes = new Lanes({ lanes: [BASE, TCP], link: linkOf('loss=3% delay=20ms seed=1'), onPicture: () => {} });
  const from = clockNow();
  for (const [index, unit] of sampleUnits().slice(0, 120).entries()) {
    lanes.send(
      { ...unit, timestamp: ticks(index * 3_000), decodeTimestamp: ticks(index * 3_000) },
      later(from, milliseconds(index * 33)),
    );
  }
  const [hybrid, tcp] = lanes.figures;
  lanes.close();
  // Undecided frames were sent within the latency.
  expect(hybrid!.framesOnTime + hybrid!.framesRecovered).toBeGreaterThan(105);
  expect(hybrid!.framesLost + hybrid!.framesLate + hybrid!.framesMended).toBe(0);
  expect(hybrid!.lagMsP95).toBeLessThan(230);
  expect(tcp!.framesOnTime + tcp!.framesLate).toBeGreaterThan(100);
});

test('captures sent and delivered packets of the last 30 seconds', () => {
  for (const settings of [BARE, TCP]) {
    const story = play(settings, 'delay=20ms seed=1', { frames: 1_200, at: { 1100: (lane) => lane.dropNext(5) } });
    const { packets, linkType } = readPcapng(Buffer.from(story.capture));
    expect(linkType).toBe(101);
    const times = packets.map(({ at }) => at - START_MS / 1_000);
    expect(Math.min(...times)).toBeGreaterThan((1_200 * FRAME_MS) / 1_000 - 31);
    expect(Math.max(...times)).toBeGreaterThan((1_190 * FRAME_MS) / 1_000);
    expect(new Set(packets.map(({ bytes }) => bytes[9]))).toEqual(new Set([settings.transport === 'udp' ? 17 : 6]));
  }
});

test('marks the edges of frames only, as a session does', () => {
  const story = play(BASE, 'delay=20ms seed=1', { frames: 300 });
  const media = new Map<number, RtpPacket>();
  for (const { bytes } of readPcapng(Buffer.from(story.capture)).packets) {
    const packet = parseRtpPacket(bytes.subarray(UDP_IP_HEADER_BYTES));
    if (packet.ok && packet.value.ssrc === MEDIA_SSRC) media.set(packet.value.sequenceNumber, packet.value);
  }
  const within = [...media.values()].filter(({ sequenceNumber, marker }) => {
    return !marker && media.get(sequenceNumber - 1)?.marker === false;
  });
  const edges = [...media.values()].filter(
    (packet) => media.has(packet.sequenceNumber - 1) && !within.includes(packet),
  );
  expect(new Set(edges.map(({ extension }) => extension?.data.length))).toEqual(new Set([4]));
  expect(within.filter(({ extension }) => extension === undefined).length).toBeGreaterThan(within.length / 2);
});

function play(
  settings: LaneSettings,
  text: string,
  story: {
    readonly frames: number;
    readonly at?: Readonly<Record<number, (lane: Lane, now: number) => void>>;
    /** Later ones are sent as reference frames. Default: those of the sample. */
    readonly keyFrames?: number;
    /** Makes the frames instead, at the rate that the lane carries. */
    readonly encoder?: SyntheticEncoder;
  },
) {
  const units = sampleUnits();
  const { encoder } = story;
  let shown = 0;
  const lane = new Lane({
    settings,
    link: linkOf(text),
    run: 0,
    startsAt: instant(milliseconds(START_MS)),
    onKeyFrameRequest: () => encoder?.requestKeyFrame(),
    onPicture: ({ unit }) => {
      if (unit.decodeOnly !== true) shown++;
    },
  });
  let keyFrames = 0;
  let now = milliseconds(START_MS);
  for (let frame = 0; frame < story.frames; frame++) {
    now = milliseconds(START_MS + frame * FRAME_MS);
    const unit = units[frame % units.length]!;
    const isKey = unit.importance === 'key' && keyFrames++ < (story.keyFrames ?? Number.POSITIVE_INFINITY);
    const importance = isKey ? 'key' : 'reference';
    const time = frame * 3_000;
    story.at?.[frame]?.(lane, now);
    if (lane.targetBitrate !== undefined) encoder?.setTarget(lane.targetBitrate);
    const made = encoder?.next() ?? { ...unit, importance, timestamp: ticks(time), decodeTimestamp: ticks(time) };
    lane.send(instant(now), made);
    lane.runUntil(instant(now + milliseconds(FRAME_MS) - 1));
  }
  return { figures: lane.figures(instant(now)), events: lane.takeEvents(), capture: lane.captureFile(), shown };
}

function linkOf(text: string): LinkSpecification {
  const link = parseLinkSpecification(text);
  if (!link.ok) throw new Error(link.malformed);
  return link.value;
}
