import { expect, test } from 'vitest';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import { instant, later, seconds, ticks, ticksToMicroseconds } from '../../../protocol/base/units.ts';
import { parseRtpPacket } from '../../../protocol/rtp/rtp-packet.ts';
import { wireSequence } from '../../../protocol/rtp/sequence.ts';
import { TRANSPORT_PACKET_BYTES, TransportStreamWriter } from '../../../protocol/transport-stream.ts';
import { Receiver } from '../../../receiver/receiver.ts';
import { receiverOptions } from '../../../receiver/receiver-options.ts';
import { Sender } from '../../../sender/sender.ts';
import { senderOptions } from '../../../sender/sender-options.ts';
import { RoundTimeline } from '../../../session/stream/round-timeline.ts';
import { agreed, REPORT_SSRC } from '../../simulated-session.ts';

const FRAME = 180_000;

/** A frame of a film with one frame in two seconds, which makes days short. */
const frame = (decodeAt: number, shownAt: number, importance: AccessUnit['importance']): AccessUnit => ({
  parts: [Uint8Array.of(importance === 'key' ? 0x65 : 0x61, 0x88)],
  timestamp: ticks(shownAt * FRAME),
  decodeTimestamp: ticks(decodeAt * FRAME),
  importance,
});

/** Shown in the order I B P B P, decoded a frame earlier. */
const FILM = [
  frame(-1, 0, 'key'),
  frame(0, 2, 'reference'),
  frame(1, 1, 'discardable'),
  frame(2, 4, 'reference'),
  frame(3, 3, 'discardable'),
];
/** Another film, whose first picture is also the first to be decoded. */
const OTHER = [frame(0, 0, 'key'), frame(1, 1, 'reference')];

/** Long enough for the 33 bits of MPEG-TS too, which last 26 hours and a half. */
const HOURS = 27;
const FRAMES = HOURS * 1_800;

function* days(...films: readonly (readonly AccessUnit[])[]): Generator<AccessUnit> {
  const timeline = new RoundTimeline({ equalRounds: films.length === 1 });
  for (let count = 0, round = 0; count < FRAMES; round++) {
    timeline.begin();
    for (const unit of films[round % films.length]!) {
      count++;
      yield timeline.place(unit).unit;
    }
  }
}

test('27 hours of a loop decode every frame at its time and show every frame once', () => {
  let expected = -FRAME;
  const breaks: number[] = [];
  const shown = new Set<number>();
  for (const { decodeTimestamp, timestamp } of days(FILM)) {
    if (decodeTimestamp !== expected) breaks.push(decodeTimestamp);
    expected += FRAME;
    shown.add(timestamp);
  }
  expect(breaks).toEqual([]);
  expect(shown.size).toBe(FRAMES);
  expect(Math.max(...[...shown].slice(-10)) / FRAME).toBe(FRAMES - 1);
});

test('a playlist decodes in time where a film with B-frames follows one without', () => {
  let before = -2 * FRAME;
  const breaks: number[] = [];
  for (const { decodeTimestamp, timestamp } of days(FILM, OTHER)) {
    if (decodeTimestamp - before !== FRAME || timestamp < decodeTimestamp) breaks.push(decodeTimestamp);
    before = decodeTimestamp;
  }
  expect(breaks).toEqual([]);
});

test('a receiver plays 27 hours of a loop across the wraps of sequence numbers and timestamps', () => {
  const parameters = agreed({ recovery: 'nack', initialSequence: wireSequence(60_000) });
  const sender = new Sender(senderOptions(parameters));
  const receiver = new Receiver(receiverOptions(parameters, { reportSsrc: REPORT_SSRC }));
  let [played, wraps, clockWraps] = [0, 0, 0];
  let before: { sequence: number; timestamp: number } | undefined;
  let decodeAt = -FRAME;
  const breaks: unknown[] = [];
  const start = instant(seconds(10));
  for (const unit of days(FILM)) {
    const at = later(start, ticksToMicroseconds(unit.decodeTimestamp));
    receiver.handleTimeout(at);
    sender.handleTimeout(at);
    sender.send(at, unit);
    for (let datagram = sender.pollTransmit(at); datagram; datagram = sender.pollTransmit(at)) {
      receiver.handleDatagram(at, datagram);
      const packet = parseRtpPacket(datagram);
      if (!packet.ok || packet.value.payloadType !== 96) continue;
      const { sequenceNumber: sequence, timestamp } = packet.value;
      if (before && sequence !== (before.sequence + 1) % 0x1_0000) breaks.push(sequence);
      if (before && sequence < before.sequence) wraps++;
      if (before && timestamp < before.timestamp - 0x8000_0000) clockWraps++;
      before = { sequence, timestamp };
    }
    for (let report = receiver.pollTransmit(at); report; report = receiver.pollTransmit(at))
      sender.handleDatagram(at, report);
    while (sender.pollEvent());
    for (let event = receiver.pollEvent(); event; event = receiver.pollEvent()) {
      if (event.kind !== 'access-unit' || event.unit.decodeTimestamp !== decodeAt) breaks.push(event);
      decodeAt += FRAME;
      played++;
    }
  }
  expect(breaks).toEqual([]);
  expect(wraps).toBe(1);
  expect(clockWraps).toBeGreaterThanOrEqual(2);
  expect(played).toBeGreaterThan(FRAMES - 5);
  const { frames } = receiver.statistics;
  expect(frames.onTime).toBe(frames.decided);
});

const WRAP = 2 ** 33;
/** Reads a time of 33 bits in five bytes of a PES header (ISO/IEC 13818-1 §2.4.3.6). */
const timeAt = (bytes: Uint8Array, at: number): number =>
  ((bytes[at]! >> 1) & 7) * 2 ** 30 +
  ((((bytes[at + 1]! << 8) | bytes[at + 2]!) >> 1) << 15) +
  (((bytes[at + 3]! << 8) | bytes[at + 4]!) >> 1);

test('MPEG-TS has decode times and clocks without a break where its 33 bits wrap', () => {
  const writer = new TransportStreamWriter({ clockLead: ticks(18_000) });
  let [before, clockBefore, wraps] = [undefined as number | undefined, undefined as number | undefined, 0];
  const breaks: number[] = [];
  const apart = (later: number, earlier: number) => (later - earlier + WRAP) % WRAP;
  for (const unit of days(FILM)) {
    const packets = writer.write(unit);
    for (let at = 0; at < packets.length; at += TRANSPORT_PACKET_BYTES) {
      const packet = packets.subarray(at, at + TRANSPORT_PACKET_BYTES);
      if ((packet[1]! & 0x5f) !== 0x41 || packet[2] !== 0) continue;
      const view = new DataView(packet.buffer, packet.byteOffset);
      const clock = view.getUint32(6) * 2 + (packet[10]! >> 7);
      const pes = 5 + packet[4]!;
      const decode = timeAt(packet, pes + 14);
      if (before !== undefined && apart(decode, before) !== FRAME) breaks.push(decode);
      if (clockBefore !== undefined && apart(clock, clockBefore) !== FRAME) breaks.push(clock);
      if (apart(timeAt(packet, pes + 9), decode) !== unit.timestamp - unit.decodeTimestamp) breaks.push(decode);
      if (before !== undefined && decode < before) wraps++;
      before = decode;
      clockBefore = clock;
    }
  }
  expect(breaks).toEqual([]);
  // This film is decoded two seconds before it is shown, one more than the clock begins above 0: it wraps at once as well.
  expect(wraps).toBe(2);
});
