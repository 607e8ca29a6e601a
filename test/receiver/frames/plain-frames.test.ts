import { expect, test } from 'vitest';
import type { Importance } from '../../../protocol/access-unit.ts';
import { instant, ticks } from '../../../protocol/base/units.ts';
import { H264 } from '../../../protocol/codec/h264/h264.ts';
import {
  beginsAccessUnit,
  looksLikeH264,
  payloadsImportance,
} from '../../../protocol/codec/h264/payload-inspection.ts';
import { asSequence } from '../../../protocol/rtp/sequence.ts';
import { PlainFrameBuffer } from '../../../receiver/frames/plain-frame-buffer.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.of(...values);

/** Slices by their first bytes: first_mb_in_slice 0 is the bit 1; slice_type 7 (I) is 0001000, 5 (P) 00110, PPS 0 is 1. */
const IDR = bytes(0x65, 0x88, 0x84, 0x21);
const I = bytes(0x41, 0x88, 0x84, 0x21);
const P = bytes(0x41, 0x9a, 0x21, 0x21);
const B = bytes(0x01, 0x9e, 0x21, 0x21);
/** first_mb_in_slice 1 is 010, slice_type 0 (P) 1. */
const P_SECOND_SLICE = bytes(0x41, 0x5a, 0x21, 0x21);
const SPS = bytes(0x67, 0x42, 0xc0, 0x1e, 0x8c);
const PPS = bytes(0x68, 0xce, 0x3c, 0x80);
const DELIMITER = bytes(0x09, 0x30);
const RECOVERY_POINT = bytes(0x06, 0x06, 0x01, 0xc4, 0x80);

const fragment = (nalUnit: Uint8Array, part: 'first' | 'middle' | 'last'): Uint8Array => {
  const flags = part === 'first' ? 0x80 : part === 'last' ? 0x40 : 0;
  return bytes((nalUnit[0]! & 0xe0) | 28, flags | (nalUnit[0]! & 0x1f), ...nalUnit.subarray(1));
};
const aggregate = (...nalUnits: Uint8Array[]): Uint8Array =>
  bytes(0x78, ...nalUnits.flatMap((nalUnit) => [0, nalUnit.length, ...nalUnit]));

test('a picture begins with a delimiter, a parameter set, SEI or its first slice, in any packetization', () => {
  for (const payload of [DELIMITER, SPS, PPS, RECOVERY_POINT, IDR, P, B, fragment(IDR, 'first'), aggregate(P)]) {
    expect(beginsAccessUnit(payload)).toBe(true);
  }
  const rest = [P_SECOND_SLICE, fragment(P_SECOND_SLICE, 'first'), fragment(IDR, 'middle'), fragment(IDR, 'last')];
  for (const payload of [...rest, aggregate(P_SECOND_SLICE), bytes(0x1f, 0x00), bytes(0x65), new Uint8Array()]) {
    expect(beginsAccessUnit(payload)).toBe(false);
  }
});

test('importance is read from the NAL units', () => {
  expect(payloadsImportance([DELIMITER, SPS, PPS, IDR])).toBe('key');
  expect(payloadsImportance([fragment(IDR, 'first'), fragment(IDR, 'last')])).toBe('key');
  expect(payloadsImportance([aggregate(SPS, PPS, IDR)])).toBe('key');
  expect(payloadsImportance([RECOVERY_POINT, I])).toBe('key');
  expect(payloadsImportance([aggregate(SPS, PPS), I])).toBe('key');
  expect(payloadsImportance([I])).toBe('intra');
  expect(payloadsImportance([I, P_SECOND_SLICE])).toBe('reference');
  expect(payloadsImportance([aggregate(SPS, PPS), P])).toBe('reference');
  expect(payloadsImportance([P])).toBe('reference');
  expect(payloadsImportance([B])).toBe('discardable');
  expect(payloadsImportance([SPS, PPS])).toBe('discardable');
});

test('payloads of other codecs are recognized by their first bytes', () => {
  for (const payload of [IDR, P, SPS, fragment(P, 'middle'), aggregate(SPS, PPS)]) {
    expect(looksLikeH264(payload)).toBe(true);
  }
  const vp8 = [bytes(0x90, 0x80, 0x80, 0x12), bytes(0x10, 0x02, 0x00), bytes(0x80, 0x80, 0x81, 0x00)];
  const hevcParameterSet = bytes(0x40, 0x01, 0x0c);
  for (const payload of [...vp8, hevcParameterSet, bytes(0x78, 0, 9, 0x67), bytes(0x7c, 0xa5), bytes(0x65)]) {
    expect(looksLikeH264(payload)).toBe(false);
  }
});

const FRAME = 3_000;

const whole = (bytes: Uint8Array) => ({ bytes, payloadAt: 0, payloadEnd: bytes.length });

/** A buffer, with packets from sequence number, frame time, payload and marker. */
function buffer() {
  const plain = new PlainFrameBuffer({ codec: H264, framesMax: 16, packetsMax: 64 });
  const insert = (sequence: number, frame: number, payload: Uint8Array, marker = true) =>
    plain.insert(instant(0), {
      sequence: asSequence(sequence),
      timestamp: ticks(frame * FRAME),
      marker,
      payload,
      ...whole(payload),
      arrival: 'on-time',
    });
  /** Decides the frames received. */
  const decide = () => {
    const decided: { frame: number; complete: boolean; importance: Importance | undefined; gap: boolean }[] = [];
    for (let head = plain.head(); head; head = plain.head()) {
      const { complete, importance, followsGap: gap } = head;
      decided.push({ frame: head.timestamp / FRAME, complete, importance, gap });
      plain.advance();
    }
    return decided;
  };
  return { plain, insert, decide };
}

test('a receiver that joins in the middle of a picture begins with the next one', () => {
  const { insert, decide } = buffer();
  insert(10, 0, fragment(IDR, 'middle'), false);
  insert(11, 0, fragment(IDR, 'last'));
  insert(12, 1, P);
  expect(decide()).toEqual([
    { frame: 0, complete: false, importance: undefined, gap: false },
    { frame: 1, complete: true, importance: 'reference', gap: false },
  ]);
});

test('without markers a frame ends where the next one begins', () => {
  const { plain, insert } = buffer();
  insert(10, 0, P, false);
  expect(plain.head()?.complete).toBe(false);
  insert(11, 1, P, false);
  expect(plain.head()?.complete).toBe(true);
});

test('a lost packet with the marker costs its own frame but not the next', () => {
  const { insert, decide } = buffer();
  insert(10, 0, IDR);
  insert(11, 1, fragment(P, 'first'), false);
  // 12 is lost.
  insert(13, 2, fragment(P_SECOND_SLICE, 'first'), false);
  insert(14, 2, fragment(P_SECOND_SLICE, 'last'));
  expect(decide().map(({ complete, gap }) => ({ complete, gap }))).toEqual([
    { complete: true, gap: false },
    { complete: false, gap: false },
    { complete: true, gap: false },
  ]);
});

test('after a gap, a frame that starts a picture is complete, and reports that a frame may be missing', () => {
  const { insert, decide } = buffer();
  insert(10, 0, IDR);
  // 11 is lost: a frame of one packet.
  insert(12, 2, P);
  // 13 is lost: the start of this frame, since no timestamp is missing.
  insert(14, 3, P_SECOND_SLICE);
  expect(decide().map(({ complete, gap }) => ({ complete, gap }))).toEqual([
    { complete: true, gap: false },
    { complete: true, gap: true },
    { complete: false, gap: false },
  ]);
});

test('with B-frames any gap may be a frame, because missing timestamps cannot be detected', () => {
  const { insert, decide } = buffer();
  insert(10, 0, IDR);
  insert(11, 3, P);
  insert(12, 1, B);
  insert(13, 2, B);
  insert(15, 4, P);
  expect(decide().map(({ gap }) => gap)).toEqual([false, false, false, false, true]);
});

test('frames are returned in order of sequence numbers, not of timestamps', () => {
  const { insert, decide } = buffer();
  insert(13, 2, B);
  insert(11, 3, P);
  insert(12, 1, B);
  insert(10, 0, IDR);
  expect(decide().map(({ frame }) => frame)).toEqual([0, 3, 1, 2]);
});

test('the late end of a decided frame does not create a frame', () => {
  const { plain, insert, decide } = buffer();
  insert(10, 0, IDR);
  insert(11, 1, fragment(P, 'first'), false);
  expect(decide().map(({ complete }) => complete)).toEqual([true, false]);
  expect(insert(12, 1, fragment(P, 'last'))).toBe('behind');
  expect(plain.head()).toBeUndefined();
  insert(13, 2, P_SECOND_SLICE);
  expect(decide()).toEqual([{ frame: 2, complete: true, importance: 'reference', gap: false }]);
});

test('packets of padding within and between frames leave no gap', () => {
  const { plain, insert, decide } = buffer();
  insert(10, 0, IDR);
  plain.insertEmpty(asSequence(11));
  insert(12, 1, fragment(P_SECOND_SLICE, 'first'), false);
  plain.insertEmpty(asSequence(13));
  insert(14, 1, fragment(P_SECOND_SLICE, 'last'));
  expect(decide().map(({ complete, gap }) => ({ complete, gap }))).toEqual([
    { complete: true, gap: false },
    { complete: true, gap: false },
  ]);
});

test('intra pictures are random access points only in a stream without better ones', () => {
  const { insert, decide } = buffer();
  insert(10, 0, I);
  insert(11, 1, IDR);
  expect(decide().map(({ importance }) => importance)).toEqual(['key', 'key']);
  insert(12, 2, I);
  insert(13, 3, IDR);
  expect(decide().map(({ importance }) => importance)).toEqual(['key', 'key']);
  insert(14, 4, I);
  expect(decide().map(({ importance }) => importance)).toEqual(['reference']);
});

test('the buffer is bounded', () => {
  const { insert } = buffer();
  for (let n = 0; n < 16; n++) expect(insert(n, n, P)).toBe('taken');
  expect(insert(16, 16, P)).toBe('overflow');
  expect(insert(3, 3, P)).toBe('duplicate');
});
