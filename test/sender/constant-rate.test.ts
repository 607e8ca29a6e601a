import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { type Instant, instant, ticks } from '../../protocol/base/units.ts';
import { carriesClock, TRANSPORT_PACKET_BYTES, TransportStreamWriter } from '../../protocol/transport-stream.ts';
import { ConstantRate, PACKETS_PER_DATAGRAM } from '../../sender/constant-rate.ts';

const RATE = 1_000_000;
/** Duration of a packet at the rate, 27 MHz. */
const PACKET_TICKS = (TRANSPORT_PACKET_BYTES * 8 * 27_000_000) / RATE;
const BEGIN = instant(5_000_000);

const picture = (index: number, bytes: number): AccessUnit => ({
  parts: [new Uint8Array(bytes).fill(0x65)],
  timestamp: ticks(index * 3_600),
  decodeTimestamp: ticks(index * 3_600),
  importance: index % 25 === 0 ? 'key' : 'reference',
});

function stream() {
  const writer = new TransportStreamWriter({ clockLead: ticks(0) });
  const constant = new ConstantRate({
    ...{ rate: RATE, begin: BEGIN },
    clockAt: (at) => (at - BEGIN) * 27,
    clockPacket: () => writer.writeClock(ticks(0)),
  });
  return { writer, constant };
}

/** Takes all datagrams up to an instant, each when it is due. */
function packetsUntil(constant: ConstantRate, end: Instant): Uint8Array[] {
  const packets: Uint8Array[] = [];
  while (constant.dueAt <= end) {
    const { payload } = constant.poll(constant.dueAt)!;
    for (let at = 0; at < payload.length; at += TRANSPORT_PACKET_BYTES) packets.push(payload.slice(at, at + 188));
  }
  return packets;
}

const pidOf = (packet: Uint8Array) => ((packet[1]! & 0x1f) << 8) | packet[2]!;

/** PCR, 27 MHz, from the begin (ISO/IEC 13818-1 §2.4.3.5). */
function clockOf(packet: Uint8Array): number {
  const view = Buffer.from(packet);
  const base = view.readUInt32BE(6) * 2 + (view[10]! >> 7);
  return (base - 90_000) * 300 + (((view[10]! & 1) << 8) | view[11]!);
}

/** A second of pictures of 25/s, key frames of 20 kB, the others of 2 kB. */
function second() {
  const { writer, constant } = stream();
  const packets: Uint8Array[] = [];
  for (let index = 0; index < 25; index++) {
    constant.push(writer.write(picture(index, index === 0 ? 20_000 : 2_000)));
    packets.push(...packetsUntil(constant, instant(BEGIN + index * 40_000)));
  }
  return [...packets, ...packetsUntil(constant, instant(BEGIN + 1_000_000))];
}

test('packets leave at the rate, null packets where there is nothing else', () => {
  const packets = second();
  const expected = RATE / (TRANSPORT_PACKET_BYTES * 8);
  expect(Math.abs(packets.length - expected)).toBeLessThanOrEqual(7);
  expect(packets.some((packet) => pidOf(packet) === 0x1fff)).toBe(true);
  expect(packets.every(([sync]) => sync === 0x47)).toBe(true);
});

test('each clock is the departure of its packet, exact to a tick of 27 MHz, and no two are more than 40 ms apart', () => {
  const clocked = second().flatMap((packet, index) => (carriesClock(packet) ? [{ packet, index }] : []));
  expect(clocked.length).toBeGreaterThan(30);
  for (const { packet, index } of clocked)
    expect(Math.abs(clockOf(packet) - index * PACKET_TICKS)).toBeLessThanOrEqual(1);
  const gaps = clocked.slice(1).map(({ index }, before) => (index - clocked[before]!.index) * PACKET_TICKS);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(0.04 * 27_000_000);
});

test('only the first packet of a datagram has a clock', () => {
  const packets = second();
  const places = packets.flatMap((packet, index) => (carriesClock(packet) ? [index % PACKETS_PER_DATAGRAM] : []));
  expect(new Set(places)).toEqual(new Set([0]));
});

test('at a rate at which a datagram takes longer than two clocks may be apart, others have one too', () => {
  const writer = new TransportStreamWriter({ clockLead: ticks(0) });
  const own = { clockAt: (at: Instant) => (at - BEGIN) * 27, clockPacket: () => writer.writeClock(ticks(0)) };
  const packets = packetsUntil(new ConstantRate({ rate: 200_000, begin: BEGIN, ...own }), instant(BEGIN + 1_000_000));
  const clocks = packets.filter(carriesClock).map(clockOf);
  const gaps = clocks.slice(1).map((clock, before) => clock - clocks[before]!);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(0.04 * 27_000_000);
});

test('a clock is within 500 µs of its hand-over however late that is, and none runs backwards', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 100, maxLength: 300 }), (delays) => {
      const { writer, constant } = stream();
      let [now, before] = [BEGIN, Number.NEGATIVE_INFINITY];
      for (const [index, delay] of delays.entries()) {
        if (index % 4 === 0) constant.push(writer.write(picture(index / 4, 2_000)));
        now = instant(Math.max(now, constant.dueAt) + (index % 3 === 0 ? delay : 0));
        const packet = constant.poll(now)!.payload.subarray(0, TRANSPORT_PACKET_BYTES);
        if (!carriesClock(packet)) continue;
        const clock = clockOf(packet);
        expect(Math.abs(clock / 27 - (now - BEGIN))).toBeLessThanOrEqual(500);
        expect(clock).toBeGreaterThanOrEqual(before);
        before = clock;
      }
    }),
  );
});

test('counters are continuous where clocks pass packets that wait', () => {
  const video = second().filter((packet) => pidOf(packet) === 0x100);
  video.slice(1).forEach((packet, before) => {
    const hasPayload = (packet[3]! & 0x10) !== 0;
    expect(packet[3]! & 0x0f).toBe(((video[before]![3]! & 0x0f) + (hasPayload ? 1 : 0)) & 0x0f);
  });
});

test('tells how long what waits will take', () => {
  const { writer, constant } = stream();
  expect(constant.backlog).toBe(0);
  constant.push(writer.write(picture(0, 125_000)));
  expect(constant.backlog / 1e6).toBeCloseTo(1.03, 1);
  packetsUntil(constant, instant(BEGIN + 2_000_000));
  expect(constant.backlog).toBe(0);
});

test('what was due in a suspension is left out, and the clock goes on in its time', () => {
  const { constant } = stream();
  packetsUntil(constant, instant(BEGIN + 100_000));
  const late = instant(BEGIN + 60_000_000);
  const { payload, at } = constant.poll(late)!;
  expect(at).toBe(late);
  expect(clockOf(payload.subarray(0, 188))).toBe(60 * 27_000_000);
  expect(constant.poll(late)).toBeUndefined();
});
