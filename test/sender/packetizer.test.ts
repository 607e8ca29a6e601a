import { describe, expect, test } from 'vitest';
import type { AccessUnit, Importance } from '../../protocol/access-unit.ts';
import { ticks } from '../../protocol/base/units.ts';
import { AAC } from '../../protocol/codec/aac/aac.ts';
import { H264 } from '../../protocol/codec/h264/h264.ts';
import { unpackPayloads } from '../../protocol/codec/h264/rtp-payload.ts';
import { OPUS } from '../../protocol/codec/opus/opus.ts';
import { parseFrameMark } from '../../protocol/rtp/frame-mark.ts';
import { unwrapRetransmission, wrapRetransmission } from '../../protocol/rtp/retransmission.ts';
import { parseRtpPacket, type RtpPacket } from '../../protocol/rtp/rtp-packet.ts';
import { wireSequence, wireTimestamp } from '../../protocol/rtp/sequence.ts';
import { Packetizer, type PacketizerOptions } from '../../sender/packetizer.ts';

const OPTIONS: PacketizerOptions = {
  clockRate: 90_000,
  codec: H264,
  ssrc: 0xdecade,
  payloadType: 96,
  initialSequence: wireSequence(7),
  timestampBase: wireTimestamp(1_000),
  initialFrameNumber: 0,
  datagramBytesMax: 1_200,
  frameMarks: true,
};

function unit(bytes: number, { timestamp = 3_000, lead = 0, importance = 'key' as Importance } = {}): AccessUnit {
  const nalUnit = Uint8Array.from({ length: bytes }, (_, index) => (index === 0 ? 0x65 : index & 0xff));
  return { parts: [nalUnit], timestamp: ticks(timestamp), decodeTimestamp: ticks(timestamp - lead), importance };
}

function packets(datagrams: readonly Uint8Array[]): RtpPacket[] {
  return datagrams.map((datagram) => {
    const packet = parseRtpPacket(datagram);
    if (!packet.ok) throw new Error(packet.malformed);
    return packet.value;
  });
}

function markOf({ extension }: RtpPacket) {
  const mark = extension && parseFrameMark(extension);
  return mark?.ok ? mark.value : undefined;
}

test('every packet of a frame carries frame number, packet index and packet count', () => {
  const packetizer = new Packetizer({ ...OPTIONS, initialFrameNumber: 41 });
  const sent = packets(packetizer.packetize(unit(3_000)).datagrams);
  expect(
    sent.map(({ ssrc, payloadType, sequenceNumber, timestamp, marker }) => [
      ssrc,
      payloadType,
      sequenceNumber,
      timestamp,
      marker,
    ]),
  ).toEqual([
    [0xdecade, 96, 7, 4_000, false],
    [0xdecade, 96, 8, 4_000, false],
    [0xdecade, 96, 9, 4_000, true],
  ]);
  expect(sent.map(markOf)).toEqual(
    [0, 1, 2].map((packetIndex) => ({
      frameNumber: 41,
      packetIndex,
      packetCount: 3,
      importance: 'key',
      decodeLead: 0,
    })),
  );
});

test('packetize and depacketize round-trip', () => {
  const packetizer = new Packetizer(OPTIONS);
  const whole = unit(50_000);
  const payloads = packets(packetizer.packetize(whole).datagrams).map(({ payload }) => payload);
  expect(unpackPayloads(payloads)).toEqual({ ok: true, value: whole.parts });
});

test('frame marks carry importance and decode lead', () => {
  const packetizer = new Packetizer(OPTIONS);
  const marks = (['key', 'reference', 'discardable'] as const).map((importance) =>
    markOf(packets(packetizer.packetize(unit(20, { importance, lead: 9_000 })).datagrams)[0]!),
  );
  expect(marks.map((mark) => mark?.importance)).toEqual(['key', 'reference', 'discardable']);
  expect(marks.map((mark) => mark?.frameNumber)).toEqual([0, 1, 2]);
  expect(marks.map((mark) => mark?.decodeLead)).toEqual([9_000, 9_000, 9_000]);
});

describe('numbers wrap', () => {
  test.each([0, 1, 32_767, 32_768, 65_535])('the sequence number that begins with %i', (initialSequence) => {
    const packetizer = new Packetizer({ ...OPTIONS, initialSequence: wireSequence(initialSequence) });
    const { datagrams, firstSequence } = packetizer.packetize(unit(3_000));
    expect(firstSequence).toBe(initialSequence);
    expect(packets(datagrams).map(({ sequenceNumber }) => sequenceNumber)).toEqual(
      [0, 1, 2].map((step) => (initialSequence + step) % 65_536),
    );
    expect(packetizer.nextSequence).toBe(initialSequence + 3);
  });

  test.each([0, 1, 32_767, 32_768, 65_535])('the frame number that begins with %i', (initialFrameNumber) => {
    const packetizer = new Packetizer({ ...OPTIONS, initialFrameNumber });
    const numbers = [0, 1, 2].map(() => markOf(packets(packetizer.packetize(unit(20)).datagrams)[0]!)?.frameNumber);
    expect(numbers).toEqual([0, 1, 2].map((step) => (initialFrameNumber + step) % 65_536));
  });

  test.each([
    [0xffff_ffff, 1, 0],
    [0xffff_f000, 0x1000 + 5, 5],
    [0, 2 ** 32 + 9, 9],
    [0, -3, 2 ** 32 - 3],
  ])('the timestamp: base %i and media time %i are %i on the wire', (timestampBase, timestamp, wire) => {
    const packetizer = new Packetizer({ ...OPTIONS, timestampBase: wireTimestamp(timestampBase) });
    expect(packets(packetizer.packetize(unit(20, { timestamp })).datagrams)[0]?.timestamp).toBe(wire);
  });
});

describe('the length of datagrams', () => {
  const packetizer = new Packetizer(OPTIONS);

  test('all packets of a large frame except the last are equally long, two bytes below the limit, and contiguous', () => {
    const { datagrams } = packetizer.packetize(unit(20_000));
    expect(new Set(datagrams.slice(0, -1).map(({ length }) => length))).toEqual(new Set([1_198]));
    for (const [index, datagram] of datagrams.slice(1).entries()) {
      const before = datagrams[index]!;
      expect(datagram.buffer).toBe(before.buffer);
      expect(datagram.byteOffset).toBe(before.byteOffset + before.length);
    }
  });

  test.each([1, 100, 1_172, 1_173, 1_174, 1_175, 1_176, 1_177, 2_400, 20_000])(
    'a retransmission of any packet of a frame of %i bytes keeps to the limit, and restores it',
    (bytes) => {
      for (const lead of [0, 3_000]) {
        for (const datagram of packetizer.packetize(unit(bytes, { lead })).datagrams) {
          expect(datagram.length).toBeLessThanOrEqual(1_200);
          const again = wrapRetransmission(datagram, { ssrc: 1, payloadType: 97, sequenceNumber: wireSequence(5) });
          expect(again.length).toBeLessThanOrEqual(1_200);
          const [packet] = packets([again]);
          const original = unwrapRetransmission(packet!, OPTIONS);
          expect(original).toEqual({ ok: true, value: packets([datagram])[0] });
        }
      }
    },
  );

  test('receivers without frame marks cannot request retransmissions, and get the bytes reserved for them', () => {
    const plain = new Packetizer({ ...OPTIONS, frameMarks: false });
    const { datagrams } = plain.packetize(unit(20_000));
    expect(datagrams[0]?.length).toBe(1_200);
    expect(packets(datagrams).every(({ extension }) => extension === undefined)).toBe(true);
    expect(packets(datagrams)[0]?.payload.length).toBe(1_188);
  });
});

describe('parts that a payload format cannot carry', () => {
  const soundOf = (bytes: number): AccessUnit => ({ ...unit(bytes), parts: [new Uint8Array(bytes).fill(1)] });

  test('are told before they are packetized: frames of AAC above 8,191 bytes', () => {
    const packetizer = new Packetizer({ ...OPTIONS, codec: AAC, clockRate: 48_000 });
    expect([8_191, 8_192].map((bytes) => packetizer.carries(soundOf(bytes)))).toEqual([true, false]);
    expect(packetizer.packetize(soundOf(8_191)).datagrams).toHaveLength(8);
  });

  test('are told before they are packetized: packets of Opus longer than a payload, whose length the path changes', () => {
    const packetizer = new Packetizer({ ...OPTIONS, codec: OPUS, clockRate: 48_000 });
    expect([1_174, 1_175].map((bytes) => packetizer.carries(soundOf(bytes)))).toEqual([true, false]);
    expect(packetizer.packetize(soundOf(1_174)).datagrams[0]).toHaveLength(1_198);
    packetizer.datagramBytesMax = 1_000;
    expect(packetizer.carries(soundOf(1_174))).toBe(false);
  });

  test('do not exist for pictures', () => {
    expect(new Packetizer(OPTIONS).carries(unit(100_000))).toBe(true);
  });
});
