import { expect, test } from 'vitest';
import type { AccessUnit } from '../protocol/access-unit.ts';
import { type Instant, instant, milliseconds, seconds, ticks } from '../protocol/base/units.ts';
import { parseRtcp, type RtcpPacket, serializeRtcp } from '../protocol/rtcp/rtcp.ts';
import { classifyDatagram } from '../protocol/rtp/multiplex.ts';
import { streamParameters } from '../protocol/stream-parameters.ts';
import { Receiver } from '../receiver/receiver.ts';
import { receiverOptions } from '../receiver/receiver-options.ts';
import { Sender } from '../sender/sender.ts';
import { senderOptions } from '../sender/sender-options.ts';
import { plainStream } from '../session/rtp/plain-stream.ts';
import { Link } from '../sim/link/link.ts';
import { Simulation } from '../sim/simulation.ts';
import { LiveFeed } from '../sim/synthetic-stream.ts';
import { sampleUnits } from './sample-units.ts';
import { link, START } from './simulated-session.ts';

const FRAMES = 600;
const SEEDS = [1, 2, 3];
const SECONDS = FRAMES / 30;

/** A real stream, repeated: where a picture begins can be told without frame marks. */
const UNITS = sampleUnits();
const ROUND_TICKS = UNITS.length * 3_000;

function unitAt(frame: number): AccessUnit {
  const unit = UNITS[frame % UNITS.length]!;
  const base = Math.floor(frame / UNITS.length) * ROUND_TICKS;
  return { ...unit, timestamp: ticks(unit.timestamp + base), decodeTimestamp: ticks(unit.decodeTimestamp + base) };
}

interface Run {
  readonly loss: string;
  readonly seed?: number;
  /** Packets lost at the start. */
  readonly skip?: number;
  readonly keyFrames?: boolean;
  readonly retransmissionPayloadType?: number;
}

/**
 * Plain RTP over 20 ms each way at 200 ms, to a receiver that knows nothing but the payload type, from a sender that
 * does not answer probes of the round trip, as those of other programs.
 */
function run({ loss, seed = 1, skip = 0, keyFrames = true, retransmissionPayloadType }: Run) {
  const parameters = plainStream({ codecName: 'h264', datagramBytesMax: 1_200 });
  const { codec, payloadType } = parameters;
  const sender = new Sender(senderOptions(parameters));
  const received = streamParameters({
    ...{ codec, payloadType, recovery: 'nack', frameMarks: false },
    latency: milliseconds(200),
  });
  const receiver = new Receiver({
    ...receiverOptions(received, { reportSsrc: 9 }),
    foreign: { keyFrames, retransmissionPayloadType },
  });
  const path = link(`loss=${loss} delay=20ms seed=${seed}`);
  const [onward, returning] = [new Link(path, 'forward'), new Link(path, 'back')];
  let skipped = 0;
  const forward = {
    send: (now: Instant, datagram: Uint8Array) => {
      if (skipped++ >= skip) onward.send(now, datagram);
    },
    pollDelivery: (now: Instant) => onward.pollDelivery(now),
    pollTimeout: () => onward.pollTimeout(),
  };
  const compounds: RtcpPacket[][] = [];
  const back = {
    send: (now: Instant, datagram: Uint8Array) => {
      const packets = parseRtcp(datagram);
      if (!packets.ok) throw new Error(packets.malformed);
      compounds.push([...packets.value]);
      returning.send(now, serializeRtcp(packets.value.filter(({ kind }) => kind !== 'extended-report')));
    },
    pollDelivery: (now: Instant) => returning.pollDelivery(now),
    pollTimeout: () => returning.pollTimeout(),
  };
  let frame = 0;
  const feed = new LiveFeed({
    startAt: START,
    next: () => (frame < FRAMES ? unitAt(frame++) : undefined),
    deliver: (now, unit) => void sender.send(now, unit),
    finish: () => sender.finish(),
  });
  const simulation = new Simulation({ sender, receiver, forward, back, scripts: [feed] });
  simulation.runUntil(instant(seconds(SECONDS + 8)));
  receiver.finish(instant(seconds(SECONDS + 8)));
  receiver.assertBalanced();
  const { onTime, recovered } = receiver.statistics.frames;
  return { sender, receiver, compounds, shown: onTime + recovered };
}

test('shows 99.9 % of the frames through 3 % loss each way', () => {
  let total = 0;
  for (const seed of SEEDS) {
    const { receiver, sender, shown } = run({ loss: '3%', seed });
    total += shown;
    expect(receiver.statistics.frames.recovered).toBeGreaterThan(FRAMES / 20);
    expect(receiver.retransmissionSsrc).toBeDefined();
    expect(receiver.statistics.requests).toBeLessThan(sender.statistics.packets * 0.05);
  }
  expect(total).toBeGreaterThanOrEqual(SEEDS.length * FRAMES * 0.999);
});

test('asks for the start of a stream whose first packet is lost', () => {
  const { receiver } = run({ loss: '0%', skip: 2 });
  expect(receiver.statistics.frames).toMatchObject({ decided: FRAMES, recovered: 1, onTime: FRAMES - 1 });
});

test('recovers with the payload type of the description, and not with a wrong one', () => {
  expect(run({ loss: '3%', retransmissionPayloadType: 97 }).receiver.statistics.frames.recovered).toBeGreaterThan(50);
  const wrong = run({ loss: '3%', retransmissionPayloadType: 99 });
  expect(wrong.receiver.statistics.frames.recovered).toBe(0);
  expect(wrong.receiver.retransmissionSsrc).toBeUndefined();
});

test('sends compound packets that begin with a report and a name, and none of our notices', () => {
  const { compounds } = run({ loss: '40%' });
  const kinds = new Set(compounds.flat().map(({ kind }) => kind));
  expect(kinds).toEqual(
    new Set(['receiver-report', 'source-description', 'nack', 'picture-loss-indication', 'extended-report']),
  );
  for (const compound of compounds) {
    expect(compound.slice(0, 2).map(({ kind }) => kind)).toEqual(['receiver-report', 'source-description']);
    expect(classifyDatagram(serializeRtcp(compound))).toBe('rtcp');
  }
});

test('asks for no key frame where the sender does not offer it', () => {
  const { receiver, compounds } = run({ loss: '40%', keyFrames: false });
  expect(receiver.statistics.keyFrameRequests).toBe(0);
  expect(compounds.flat().filter(({ kind }) => kind === 'picture-loss-indication')).toEqual([]);
});
