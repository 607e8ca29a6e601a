import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parityOf } from '../../../fuzz/parity-of.ts';
import { type ParityPacket, paddingInPlaceOf, parseParityPacket, recoverPacket } from '../../../protocol/rtp/ulpfec.ts';
import { ParityIntake } from '../../../receiver/intake/parity-intake.ts';

const SSRC = 0x0a0b0c0d;
const MEDIA = 96;

/** Media packets with consecutive numbers, from one before the wrap on. */
const media = (payloads: readonly Uint8Array[]): Uint8Array[] =>
  payloads.map((payload, index) => {
    const packet = Buffer.alloc(12 + payload.length);
    packet[0] = 0x80;
    packet[1] = MEDIA | (index % 3 === 2 ? 0x80 : 0);
    packet.writeUInt16BE((0xffff + index) & 0xffff, 2);
    packet.writeUInt32BE(0xffff_fff0 + (index % 2) * 8, 4);
    packet.writeUInt32BE(SSRC, 8);
    packet.set(payload, 12);
    return Uint8Array.from(packet);
  });

test('reads the golden bytes of a parity packet', () => {
  const bytes = Uint8Array.from([
    ...[0x00, 0xe0, 0xff, 0xff], // E L P X CC, M and PT, SN base
    ...[0x00, 0x00, 0x0b, 0xb8, 0x00, 0x07], // timestamp, length
    ...[0x00, 0x02, 0xa0, 0x01], // protection length, mask: the base, two and 15 behind it
    ...[0xca, 0xfe],
  ]);
  expect(parseParityPacket(bytes)).toEqual({
    ok: true,
    value: {
      ...{ sequences: [0xffff, 1, 14], header: Uint8Array.of(0x00, 0xe0), timestamp: 3_000, length: 7 },
      body: Uint8Array.of(0xca, 0xfe),
    },
  });
  expect(parseParityPacket(bytes.subarray(0, 15))).toEqual({ ok: false, malformed: 'fec-too-short' });
  expect(parseParityPacket(Uint8Array.of(0x80, ...bytes.slice(1)))).toEqual({ ok: false, malformed: 'fec-extension' });
  const empty = Uint8Array.from(bytes).fill(0, 12, 14);
  expect(parseParityPacket(empty)).toEqual({ ok: false, malformed: 'fec-covers-nothing' });
});

test('any bytes are read or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      const read = parseParityPacket(bytes);
      if (read.ok) recoverPacket(read.value, [], { sequence: 1, ssrc: SSRC });
    }),
  );
});

test('any one of the packets is recovered from the others', () => {
  const payloads = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 16 });
  fc.assert(
    fc.property(payloads, fc.nat(), fc.boolean(), (bodies, which, isLong) => {
      const packets = media(bodies);
      const [lost] = packets.splice(which % packets.length, 1);
      const all = media(bodies);
      const read = parseParityPacket(parityOf(all, isLong)) as { readonly value: ParityPacket };
      const sequence = (lost![2]! << 8) | lost![3]!;
      expect(recoverPacket(read.value, packets, { sequence, ssrc: SSRC })).toEqual(lost);
    }),
  );
});

test('recovers once all but one have come, in any order, one by the other', () => {
  const packets = media([10, 20, 30, 5, 7].map((length, index) => new Uint8Array(length).fill(index + 1)));
  const [one, two, three, four, five] = packets as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  const intake = new ParityIntake({ ssrc: SSRC, payloadType: MEDIA });
  expect(intake.handleMedia(one)).toEqual([]);
  // Two are missing of the first parity, one of the second, which brings the first the other.
  expect(intake.handleParity(parityOf([one, two, three]))).toEqual([]);
  expect(intake.handleMedia(four)).toEqual([]);
  expect(intake.handleParity(parityOf([three, four]))).toEqual([three, two]);
  expect(intake.handleParity(parityOf([four, five]))).toEqual([five]);
  expect(intake.handleParity(parityOf(packets))).toEqual([]);
});

test('parity whose packets have left the history recovers nothing when their numbers come again', () => {
  const [one, two, three] = media([new Uint8Array(10), new Uint8Array(20), new Uint8Array(30)]) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  const intake = new ParityIntake({ ssrc: SSRC, payloadType: MEDIA });
  intake.handleMedia(one);
  expect(intake.handleParity(parityOf([one, two, three]))).toEqual([]);
  const numbered = (sequence: number): Uint8Array => {
    const packet = one.slice();
    new DataView(packet.buffer).setUint16(2, sequence & 0xffff);
    return packet;
  };
  const first = new DataView(one.buffer, one.byteOffset).getUint16(2);
  const recovered: Uint8Array[] = [];
  for (let index = 3; index < 0x1_0003; index++) {
    if (index !== 0x1_0002) recovered.push(...intake.handleMedia(numbered(first + index)));
  }
  expect(recovered).toEqual([]);
});

test('what is no parity is told, and what gives no packet of the media recovers nothing', () => {
  const [one, two] = media([new Uint8Array(9), new Uint8Array(12)]) as [Uint8Array, Uint8Array];
  const intake = new ParityIntake({ ssrc: SSRC, payloadType: MEDIA });
  intake.handleMedia(one);
  expect(intake.handleParity(Uint8Array.of(1, 2, 3))).toBeUndefined();
  const wrong = parityOf([one, two]);
  wrong[1]! ^= 1;
  expect(intake.handleParity(wrong)).toEqual([]);
  const long = parityOf([one, two]);
  long[8]! ^= 0x40;
  expect(intake.handleParity(long)).toEqual([]);
  expect(intake.handleParity(parityOf([one, two]))).toEqual([two]);
});

test('padding in the place of parity keeps its number and time', () => {
  const [packet] = media([new Uint8Array(40)]);
  packet![1] = 122;
  const padding = paddingInPlaceOf(packet!, MEDIA);
  expect([...padding]).toEqual([0x80, MEDIA, ...packet!.slice(2, 12)]);
});
