import fc from 'fast-check';
import { expect, test } from 'vitest';
import { frameForStream, STREAM_PACKET_BYTES_MAX, StreamDeframer } from '../../../protocol/rtp/stream-framing.ts';
import { cutAt, hex } from '../bytes.ts';

test('puts a two-byte length in front of a packet (RFC 4571 §2)', () => {
  expect(frameForStream(hex('80e1aa'))).toEqual(hex('0003 80e1aa'));
  expect(frameForStream(new Uint8Array(STREAM_PACKET_BYTES_MAX)).subarray(0, 3)).toEqual(hex('ffff 00'));
  expect(() => frameForStream(new Uint8Array(STREAM_PACKET_BYTES_MAX + 1))).toThrow('fit in 16 bits');
});

test('skips null packets', () => {
  expect(new StreamDeframer().push(hex('0000 0001aa 0000 0000 0001bb 0000'))).toEqual([hex('aa'), hex('bb')]);
  const deframer = new StreamDeframer();
  const chunks = ['00', '00', '0000', '00', '0000', '01', 'aa'];
  expect(chunks.flatMap((chunk) => deframer.push(hex(chunk)))).toEqual([hex('aa')]);
});

test('packets that lie wholly in a chunk are views of it', () => {
  const chunk = hex('0002 8001 0001 ff');
  const packets = new StreamDeframer().push(chunk);
  expect(packets.map((packet) => packet.buffer)).toEqual([chunk.buffer, chunk.buffer]);
});

test('framing and deframing round-trip, wherever the stream is cut', () => {
  const packets = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 12 });
  const places = fc.array(fc.nat(), { maxLength: 30 });
  fc.assert(
    fc.property(packets, places, (packets, places) => {
      const stream = Uint8Array.from(packets.flatMap((packet) => [...frameForStream(packet)]));
      const deframer = new StreamDeframer();
      expect(cutAt(stream, places).flatMap((chunk) => deframer.push(chunk))).toEqual(packets);
      expect(deframer.pendingBytes).toBe(0);
    }),
  );
});

test('reassembles a stream that arrives byte by byte', () => {
  const packets = [new Uint8Array(1).fill(1), new Uint8Array(700).fill(2), new Uint8Array(255).fill(3)];
  const deframer = new StreamDeframer();
  const received = packets
    .flatMap((packet) => [...frameForStream(packet)])
    .flatMap((byte) => deframer.push(Uint8Array.of(byte)));
  expect(received).toEqual(packets);
});

test('never buffers more than one packet', () => {
  const deframer = new StreamDeframer();
  const chunk = new Uint8Array(10_000).fill(0xff);
  for (let chunks = 0; chunks < 100; chunks++) {
    deframer.push(chunk);
    expect(deframer.pendingBytes).toBeLessThanOrEqual(2 + STREAM_PACKET_BYTES_MAX);
  }
});
