import fc from 'fast-check';
import { expect, test } from 'vitest';
import { classifyDatagram } from '../../../protocol/rtp/multiplex.ts';
import {
  packetAt,
  parseRtpPacket,
  RTP_HEADER_BYTES,
  RtpLayout,
  serializeRtpPacket,
  writeRtpHeader,
} from '../../../protocol/rtp/rtp-packet.ts';
import { wireSequence, wireTimestamp } from '../../../protocol/rtp/sequence.ts';
import { hex, uint, wordsOf } from '../bytes.ts';
import { sharedFile, sharedFolder, udpPayloads, withSharedMedia } from '../shared-media.ts';

// biome-ignore format: one field per line
const PLAIN = new Uint8Array([
  0x80, // V=2, no padding, no extension, no CSRCs
  0xe0, // marker, payload type 96
  0x12, 0x34, // sequence number
  0x89, 0xab, 0xcd, 0xef, // timestamp
  0xde, 0xad, 0xbe, 0xef, // SSRC
  0x65, 0x88, 0x84, // payload: the beginning of an IDR slice
]);

// biome-ignore format: one field per line
const FULL = new Uint8Array([
  0xb2, // V=2, P, X, two CSRCs
  0x64, // no marker, payload type 100
  0x00, 0x58, // sequence number 88
  0x65, 0x43, 0x12, 0x78, // timestamp
  0x12, 0x34, 0x56, 0x78, // SSRC
  0x34, 0x56, 0x78, 0x90, // CSRC
  0x32, 0x43, 0x54, 0x65, // CSRC
  0xbe, 0xde, // extension: RFC 8285, one-byte form
  0x00, 0x01, // one word of it
  0x12, 0x00, 0x56, 0xce, // its data
  0x70, 0x61, 0x79, // payload
  0x00, 0x00, 0x00, 0x00, 0x05, // padding, five bytes, the count included
]);

test('parses a packet without options, as in RFC 3550 §5.1', () => {
  expect(parseRtpPacket(PLAIN)).toEqual({
    ok: true,
    value: {
      marker: true,
      payloadType: 96,
      sequenceNumber: 0x1234,
      timestamp: 0x89ab_cdef,
      ssrc: 0xdead_beef,
      csrcs: [],
      payload: hex('658884'),
    },
  });
});

test('separates CSRCs, extension and padding from the payload', () => {
  expect(parseRtpPacket(FULL)).toEqual({
    ok: true,
    value: {
      marker: false,
      payloadType: 100,
      sequenceNumber: 88,
      timestamp: 0x6543_1278,
      ssrc: 0x1234_5678,
      csrcs: [0x3456_7890, 0x3243_5465],
      extension: { profile: 0xbede, data: hex('120056ce') },
      payload: hex('706179'),
    },
  });
});

test('payload and extension are views of the datagram', () => {
  const packet = parseRtpPacket(FULL);
  expect(packet.ok && packet.value.payload.buffer).toBe(FULL.buffer);
  expect(packet.ok && packet.value.extension?.data.buffer).toBe(FULL.buffer);
});

test('rejects a packet cut within its header; a later cut shortens the payload', () => {
  const header = 28;
  const unpadded = FULL.slice();
  unpadded[0] = 0x92;
  for (let length = 0; length < FULL.length; length++) {
    const packet = parseRtpPacket(unpadded.subarray(0, length));
    expect(packet.ok).toBe(length >= header);
    if (packet.ok) expect(packet.value.payload.length).toBe(length - header);
  }
});

test.each([
  ['version 1', [0x40], 'version'],
  ['version 3', [0xc0], 'version'],
  ['padding of nothing', [0xa0], 'padding-zero'],
])('%s is malformed', (_, [first], cause) => {
  const datagram = new Uint8Array(16);
  datagram[0] = first!;
  expect(parseRtpPacket(datagram)).toEqual({ ok: false, malformed: cause });
});

test('padding may fill the payload but not exceed it', () => {
  const datagram = new Uint8Array(16);
  datagram[0] = 0xa0;
  datagram[15] = 4;
  expect(parseRtpPacket(datagram)).toMatchObject({ ok: true, value: { payload: new Uint8Array(0) } });
  datagram[15] = 5;
  expect(parseRtpPacket(datagram)).toEqual({ ok: false, malformed: 'padding-beyond-payload' });
});

const rtpPacket = fc
  .record({
    marker: fc.boolean(),
    payloadType: uint(7),
    sequenceNumber: uint(16).map((n) => wireSequence(n)),
    timestamp: uint(32).map((n) => wireTimestamp(n)),
    ssrc: uint(32),
    csrcs: fc.array(uint(32), { maxLength: 15 }),
    payload: fc.uint8Array({ maxLength: 200 }),
    extension: fc.option(fc.record({ profile: uint(16), data: wordsOf(20) }), { nil: undefined }),
  })
  .map(({ extension, ...packet }) => (extension === undefined ? packet : { ...packet, extension }));

test('serialize and parse round-trip', () => {
  fc.assert(
    fc.property(rtpPacket, (packet) => {
      expect(parseRtpPacket(serializeRtpPacket(packet))).toEqual({ ok: true, value: packet });
    }),
  );
});

test('a header written in place equals the serialized one', () => {
  fc.assert(
    fc.property(rtpPacket, (whole) => {
      const { marker, payloadType, sequenceNumber, timestamp, ssrc, payload } = whole;
      const packet = {
        marker,
        payloadType,
        sequenceNumber: sequenceNumber,
        timestamp: timestamp,
        ssrc,
        payload,
      };
      const target = new Uint8Array(RTP_HEADER_BYTES + packet.payload.length).fill(0xff);
      target.set(packet.payload, RTP_HEADER_BYTES);
      writeRtpHeader(target, { ...packet, extension: false });
      expect(target).toEqual(serializeRtpPacket({ ...packet, csrcs: [] }));
    }),
  );
});

test('never throws on arbitrary bytes or reads past the datagram', () => {
  const anyHeader = fc.tuple(fc.constantFrom(0x80, 0x90, 0xa0, 0xb0, 0xbf), fc.uint8Array({ maxLength: 80 }));
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 80 }),
        anyHeader.map(([head, rest]) => Uint8Array.of(head, ...rest)),
      ),
      (bytes) => {
        const packet = parseRtpPacket(bytes);
        if (!packet.ok) return;
        const { payload, extension } = packet.value;
        expect(payload.byteOffset + payload.length).toBeLessThanOrEqual(bytes.byteOffset + bytes.length);
        expect(payload.length + (extension?.data.length ?? 0) + RTP_HEADER_BYTES).toBeLessThanOrEqual(bytes.length);
      },
    ),
  );
});

test.each([
  ['an RTP packet', '80e012340000000000000000', 'rtp'],
  ['a sender report', '80c80006', 'rtcp'],
  ['the lowest RTCP type', '80c00000', 'rtcp'],
  ['the highest RTCP type', '80df0000', 'rtcp'],
  ['payload type 95 without a marker, below the range', '805f12340000000000000000', 'rtp'],
  ['payload type 63 with a marker, just below the range', '80bf12340000000000000000', 'rtp'],
  ['payload type 96 with a marker, just above it', '80e012340000000000000000', 'rtp'],
  ['a STUN request', '000100002112a4420000000000000000', 'foreign'],
  ['a TLS hello', '160301020001000000000000', 'foreign'],
  ['nothing', '', 'foreign'],
  ['a packet cut below an RTP header', '80e0123400000000000000', 'foreign'],
  ['a packet cut below an RTCP header', '80c800', 'foreign'],
] as const)('%s is recognized by its first bytes', (_, bytes, kind) => {
  expect(classifyDatagram(hex(bytes))).toBe(kind);
});

withSharedMedia('the RTP packets of a fuzzing corpus parse or are malformed', () => {
  const results = sharedFolder('broken/fuzz_rtp').map((bytes) => parseRtpPacket(bytes));
  expect(results.map((result) => (result.ok ? result.value.payloadType : result.malformed))).toEqual([
    100,
    100,
    100,
    100,
    100,
    'version',
  ]);
});

withSharedMedia('every datagram of a captured H.264 stream parses and serializes to the same bytes', () => {
  const datagrams = udpPayloads(sharedFile('pcap/h264-and-audio_demo_rtp.pcap'));
  const packets = datagrams.map((datagram) => parseRtpPacket(datagram));
  expect(packets.filter((packet) => packet.ok && packet.value.payloadType === 96)).toHaveLength(842);
  for (const [index, packet] of packets.entries()) {
    if (packet.ok) expect(Buffer.compare(serializeRtpPacket(packet.value), datagrams[index]!)).toBe(0);
  }
});

test('a reused layout keeps nothing of the previous packet', () => {
  const layout = new RtpLayout();
  expect(layout.read(FULL)).toBeUndefined();
  expect(layout).toMatchObject({ extensionAt: 24, extensionEnd: 28, payloadAt: 28, payloadEnd: 31 });
  expect(layout.read(PLAIN)).toBeUndefined();
  expect(layout).toMatchObject({ extensionAt: 0, extensionEnd: 0, payloadAt: 12, payloadEnd: 15 });
  expect(packetAt(PLAIN, layout)).toEqual(expect.objectContaining({ extension: undefined, payload: hex('658884') }));
});
