import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instant, ticks } from '../../../protocol/base/units.ts';
import { H264 } from '../../../protocol/codec/h264/h264.ts';
import type { FrameMark } from '../../../protocol/rtp/frame-mark.ts';
import { asSequence } from '../../../protocol/rtp/sequence.ts';
import type { ArrivedPacket, PacketInsertion, PendingFrame } from '../../../receiver/frames/frame-buffer.ts';
import { MarkedFrameBuffer } from '../../../receiver/frames/marked-frame-buffer.ts';

interface Packet {
  readonly number: number;
  readonly index: number;
  readonly count: number;
  /** First sequence number of the frame. */
  readonly first: number;
  readonly timestamp?: number;
  readonly lead?: number;
}

function insert(
  buffer: MarkedFrameBuffer,
  { number, index, count, first, timestamp = number * 100, lead = 0 }: Packet,
): PacketInsertion {
  const mark: FrameMark = {
    frameNumber: number & 0xffff,
    packetIndex: index,
    packetCount: count,
    importance: 'reference',
    decodeLead: ticks(lead),
  };
  // A single NAL unit packet within other bytes: a non-IDR slice.
  const payload = Uint8Array.of(0x41, number & 0xff, index);
  const packet: ArrivedPacket = {
    sequence: asSequence(first + index),
    timestamp: ticks(timestamp),
    marker: index === count - 1,
    payload,
    bytes: Uint8Array.of(0xff, ...payload, 0xff),
    payloadAt: 1,
    payloadEnd: 4,
    arrival: 'on-time',
  };
  return buffer.insert(instant(0), number, mark, packet);
}

function nalUnitsOf(frame: PendingFrame): Uint8Array[] | string {
  const read = H264.depacketize(frame.payloads());
  return read.ok ? read.value.parts : read.malformed;
}

const newBuffer = (framesMax = 1_000) => new MarkedFrameBuffer({ firstFrame: 0, framesMax });

test('a frame is complete with all announced packets, in any order', () => {
  const buffer = newBuffer();
  for (const index of [2, 0]) expect(insert(buffer, { number: 0, index, count: 3, first: 10 })).toBe('taken');
  expect(buffer.head()).toMatchObject({ complete: false, receivedPackets: 2, firstSequence: 10, lastSequence: 12 });
  expect(buffer.head()?.missing()).toEqual([11]);
  expect(insert(buffer, { number: 0, index: 1, count: 3, first: 10 })).toBe('taken');
  expect(buffer.head()?.complete).toBe(true);
  expect(nalUnitsOf(buffer.head()!)).toEqual([0, 1, 2].map((index) => Uint8Array.of(0x41, 0, index)));
});

test('a picture is due at its decode time, sound at its presentation time however early it was sent', () => {
  const packet = { number: 0, index: 0, count: 1, first: 0, timestamp: 9_000, lead: 1_800 };
  const [pictures, sound] = [newBuffer(), new MarkedFrameBuffer({ firstFrame: 0, framesMax: 10, isSound: true })];
  for (const buffer of [pictures, sound]) insert(buffer, packet);
  expect(pictures.head()).toMatchObject({ timestamp: 9_000, decodeTimestamp: 7_200, sentEarly: 0 });
  expect(sound.head()).toMatchObject({ timestamp: 9_000, decodeTimestamp: 9_000, sentEarly: 20_000 });
});

test('distinguishes duplicates, decided frames and frames beyond the limit', () => {
  const buffer = newBuffer(2);
  expect(insert(buffer, { number: 0, index: 0, count: 1, first: 0 })).toBe('taken');
  expect(insert(buffer, { number: 0, index: 0, count: 1, first: 0 })).toBe('duplicate');
  expect(insert(buffer, { number: 1, index: 0, count: 1, first: 1 })).toBe('taken');
  expect(insert(buffer, { number: 2, index: 0, count: 1, first: 2 })).toBe('overflow');
  buffer.advance();
  expect(insert(buffer, { number: 0, index: 0, count: 1, first: 0 })).toBe('behind');
  expect(insert(buffer, { number: 2, index: 0, count: 1, first: 2 })).toBe('taken');
});

test('orders frames that arrive out of order', () => {
  const buffer = newBuffer();
  for (const number of [3, 1, 7, 0, 5]) insert(buffer, { number, index: 0, count: 1, first: number });
  expect([...buffer.frames()].map(({ number }) => number)).toEqual([0, 1, 3, 5, 7]);
  buffer.advance();
  buffer.advance();
  expect([...buffer.frames()].map(({ number }) => number)).toEqual([3, 5, 7]);
});

describe('head and next number', () => {
  test('a frame that has not arrived is no head, and later frames stay in order', () => {
    const buffer = newBuffer();
    for (const number of [5, 2, 3]) insert(buffer, { number, index: 0, count: 1, first: number });
    expect(buffer.head()).toBeUndefined();
    expect(buffer.earliest()?.number).toBe(2);
    expect([...buffer.frames()].map(({ number }) => number)).toEqual([2, 3, 5]);
    buffer.skipTo(2);
    expect([buffer.head()?.number, buffer.following()?.number, buffer.newest()?.number]).toEqual([2, 3, 5]);
  });

  test('skipping never goes back', () => {
    const buffer = newBuffer();
    buffer.skipTo(7);
    buffer.skipTo(3);
    expect(buffer.next).toBe(7);
  });
});

describe('contradictory packets', () => {
  test('outvote a single one when they agree with each other', () => {
    const buffer = newBuffer();
    insert(buffer, { number: 0, index: 0, count: 50_000, first: 0 });
    expect(insert(buffer, { number: 0, index: 1, count: 4, first: 0 })).toBe('inconsistent');
    expect(insert(buffer, { number: 0, index: 2, count: 4, first: 0 })).toBe('taken');
    expect(insert(buffer, { number: 0, index: 3, count: 4, first: 0 })).toBe('taken');
    expect(buffer.head()?.lastSequence).toBe(3);
    expect(buffer.head()?.missing()).toEqual([0]);
  });

  test('do not outvote two that agree', () => {
    const buffer = newBuffer();
    for (const index of [0, 1]) insert(buffer, { number: 0, index, count: 4, first: 0 });
    for (const index of [2, 3]) {
      expect(insert(buffer, { number: 0, index, count: 9, first: 0 })).toBe('inconsistent');
      expect(insert(buffer, { number: 0, index, count: 4, first: 0, timestamp: 77 })).toBe('inconsistent');
    }
    expect(buffer.head()?.missing()).toEqual([2, 3]);
  });

  test.each([
    ['overlaps the frame before', { number: 1, index: 0, count: 2, first: 2 }],
    ['leaves no room for a frame between', { number: 3, index: 0, count: 1, first: 4 }],
    ['is behind in packets and ahead in frames', { number: 9, index: 0, count: 1, first: -4 }],
  ])('a frame that %s is refused', (_, packet) => {
    const buffer = newBuffer();
    for (const index of [0, 1, 2]) insert(buffer, { number: 0, index, count: 3, first: 0 });
    expect(insert(buffer, packet)).toBe('inconsistent');
    expect(insert(buffer, { number: 1, index: 0, count: 1, first: 3 })).toBe('taken');
  });

  test('a frame known from one packet gives way to the next one that it overlaps', () => {
    const buffer = newBuffer();
    insert(buffer, { number: 0, index: 0, count: 60_000, first: 0 });
    expect(insert(buffer, { number: 1, index: 0, count: 2, first: 5 })).toBe('taken');
    expect([...buffer.frames()].map(({ number }) => number)).toEqual([1]);
  });

  test('a frame decided on one packet blocks no others', () => {
    const buffer = newBuffer();
    insert(buffer, { number: 0, index: 0, count: 60_000, first: 0 });
    buffer.advance();
    expect(insert(buffer, { number: 1, index: 0, count: 2, first: 5 })).toBe('taken');
  });
});

test('memory follows the packets received, not those announced', () => {
  const buffer = newBuffer(20_000);
  const before = process.memoryUsage().heapUsed;
  for (let number = 0; number < 10_000; number++) {
    insert(buffer, { number, index: 65_534, count: 65_535, first: number * 65_535 });
  }
  // Ten thousand frames that announce 65,535 packets each would take 5 GB of empty slots.
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(100_000_000);
});

test('behaves like sorted arrays', () => {
  const COUNTS = [1, 3, 2, 5, 1, 4, 2, 2];
  const firsts = COUNTS.map((_, number) => COUNTS.slice(0, number).reduce((sum, count) => sum + count, 0));
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('insert' as const), number: fc.nat(7), index: fc.nat(4) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('advance' as const), number: fc.nat(0), index: fc.nat(0) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const buffer = newBuffer();
      // Reference buffer: every packet as [frame, index], kept sorted.
      let model: [number, number][] = [];
      let next = 0;
      for (const { kind, number, index } of steps) {
        if (kind === 'advance') {
          buffer.advance();
          model = model.filter(([held]) => held !== next);
          next++;
          continue;
        }
        const count = COUNTS[number]!;
        if (index >= count) continue;
        const known = model.some(([held, at]) => held === number && at === index);
        const expected = number < next ? 'behind' : known ? 'duplicate' : 'taken';
        expect(insert(buffer, { number, index, count, first: firsts[number]! })).toBe(expected);
        if (expected === 'taken') model.push([number, index]);
        model.sort(([a, i], [b, j]) => a - b || i - j);
      }
      const held = [...buffer.frames()].map((frame) => ({
        number: frame.number,
        parts: nalUnitsOf(frame),
        complete: frame.complete,
      }));
      const numbers = [...new Set(model.map(([number]) => number))];
      expect(held).toEqual(
        numbers.map((number) => {
          const indexes = model.filter(([each]) => each === number).map(([, index]) => index);
          const parts = indexes.map((index) => Uint8Array.of(0x41, number, index));
          return { number, parts, complete: indexes.length === COUNTS[number] };
        }),
      );
      expect(buffer.next).toBe(next);
      expect(buffer.earliest()?.number).toBe(numbers[0]);
      expect(buffer.head()?.number).toBe(numbers.includes(next) ? next : undefined);
    }),
  );
});
