import fc from 'fast-check';
import { expect, test } from 'vitest';
import { echoResponse, parseRistMessage } from '../../../protocol/rist/rist-message.ts';
import { originalSsrc, retransmissionSsrc } from '../../../protocol/rist/rist-ssrc.ts';
import { parseRtcp, serializeRtcp } from '../../../protocol/rtcp/rtcp.ts';

/** Parses one application-defined packet. */
function messageOf(bytes: Uint8Array) {
  const packets = parseRtcp(bytes);
  if (!packets.ok) throw new Error(packets.malformed);
  const [packet] = packets.value;
  if (packet?.kind !== 'application') throw new Error(`${packet?.kind}`);
  return parseRistMessage(packet);
}

test('reads a range-based request as librist writes it', () => {
  const bytes = Uint8Array.of(
    ...[0x80, 0xcc, 0x00, 0x04], // version 2, subtype 0, type 204, five words in all
    ...[0x3f, 0x68, 0x2e, 0x28], // SSRC of the media
    ...[0x52, 0x49, 0x53, 0x54], // "RIST"
    ...[0xff, 0xff, 0x00, 0x02], // 65,535 and the two after it
    ...[0x00, 0x07, 0x00, 0x00], // 7 alone
  );
  expect(messageOf(bytes)).toEqual({
    ok: true,
    value: {
      kind: 'range-request',
      ranges: [
        { first: 65_535, count: 3 },
        { first: 7, count: 1 },
      ],
    },
  });
});

test('returns the time of an echo request in its response', () => {
  const time = [0xe9, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde];
  const request = [0x82, 0xcc, 0x00, 0x05, 0, 0, 0, 0x28, 0x52, 0x49, 0x53, 0x54, ...time, 0, 0, 0, 0];
  const message = messageOf(Uint8Array.from(request));
  expect(message).toEqual({ ok: true, value: { kind: 'echo-request', time: Uint8Array.from(time) } });
  const response = [0x83, 0xcc, 0x00, 0x05, 0, 0, 0, 0x28, 0x52, 0x49, 0x53, 0x54, ...time, 0, 0, 0, 0];
  expect([...serializeRtcp([echoResponse(0x28, Uint8Array.from(time))])]).toEqual(response);
});

test('leaves messages of other names alone, and others of RIST unused', () => {
  const packet = { kind: 'application', ssrc: 1, subtype: 0, name: 'DFRM', data: new Uint8Array(4) } as const;
  expect(parseRistMessage(packet)).toBeUndefined();
  expect(parseRistMessage({ ...packet, name: 'RIST', subtype: 1 })).toEqual({ ok: true, value: { kind: 'other' } });
});

test('calls an empty request and a short echo malformed', () => {
  const packet = { kind: 'application', ssrc: 1, name: 'RIST' } as const;
  expect(parseRistMessage({ ...packet, subtype: 0, data: new Uint8Array(0) })?.ok).toBe(false);
  expect(parseRistMessage({ ...packet, subtype: 2, data: new Uint8Array(8) })?.ok).toBe(false);
});

test('never throws, whatever the data', () => {
  const words = fc.uint8Array({ maxLength: 256 }).map((bytes) => bytes.subarray(0, bytes.length - (bytes.length % 4)));
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 31 }), words, (subtype, data) => {
      parseRistMessage({ kind: 'application', ssrc: 1, subtype, name: 'RIST', data });
    }),
  );
});

test('tells a retransmission by the last bit of its SSRC', () => {
  expect(retransmissionSsrc(0xffff_fffe)).toBe(0xffff_ffff);
  expect(originalSsrc(0xffff_ffff)).toBe(0xffff_fffe);
  expect(originalSsrc(0x8000_0000)).toBe(0x8000_0000);
});
