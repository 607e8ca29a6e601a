import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ticks } from '../../../protocol/base/units.ts';
import { parsePagePicture, serializePagePicture } from '../../../protocol/page/page-message.ts';
import { asDecodeOnly } from '../../../protocol/page/picture-bytes.ts';

test('a picture message is laid out as in the diagram', () => {
  const message = serializePagePicture({
    number: 0x01020304,
    key: true,
    decodeOnly: true,
    timestamp: ticks(3_000),
    sentAtMs: 1.5,
    parts: [Uint8Array.of(0x67, 0x42), Uint8Array.of(0x65)],
  });
  expect([...message]).toEqual([
    ...[0x01, 0xc0, 0x00, 0x00], // version, both flags, reserved
    ...[0x01, 0x02, 0x03, 0x04], // picture number
    ...[0x40, 0xa7, 0x70, 0x00, 0x00, 0x00, 0x00, 0x00], // 3000 as a double
    ...[0x3f, 0xf8, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00], // 1.5 as a double
    ...[0x00, 0x00, 0x00, 0x01, 0x67, 0x42], // start code, first NAL unit
    ...[0x00, 0x00, 0x00, 0x01, 0x65], // start code, second NAL unit
  ]);
});

test('serialize and parse round-trip', () => {
  const nalUnit = fc.uint8Array({ minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(
      fc.nat({ max: 0xffffffff }),
      fc.boolean(),
      fc.boolean(),
      fc.maxSafeInteger(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.array(nalUnit, { minLength: 1, maxLength: 5 }),
      (number, key, decodeOnly, timestamp, sentAtMs, parts) => {
        const result = parsePagePicture(
          serializePagePicture({ number, key, decodeOnly, timestamp: ticks(timestamp), sentAtMs, parts }),
        );
        if (!result.ok) throw new Error(result.malformed);
        const { data, ...rest } = result.value;
        expect(rest).toEqual({ number, key, ...(decodeOnly && { decodeOnly }), timestamp, sentAtMs });
        expect([...data]).toEqual(parts.flatMap((bytes) => [0, 0, 0, 1, ...bytes]));
      },
    ),
  );
});

test('parses a message from the middle of a larger buffer', () => {
  const message = serializePagePicture({
    number: 7,
    key: false,
    timestamp: ticks(1),
    sentAtMs: 2,
    parts: [Uint8Array.of(1)],
  });
  const larger = new Uint8Array(message.length + 10);
  larger.set(message, 5);
  expect(parsePagePicture(larger.subarray(5, 5 + message.length))).toEqual(parsePagePicture(message));
});

test('never throws on arbitrary bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const result = parsePagePicture(bytes);
      if (result.ok) expect(result.value.data.length).toBeGreaterThan(0);
      else expect(result.malformed).not.toBe('');
    }),
  );
});

test('rejects a header without a picture, an unknown version and a timestamp that is not a number', () => {
  const good = serializePagePicture({
    number: 0,
    key: true,
    timestamp: ticks(0),
    sentAtMs: 0,
    parts: [Uint8Array.of(1)],
  });
  expect(parsePagePicture(good.subarray(0, 24))).toEqual({ ok: false, malformed: 'too-short' });
  expect(parsePagePicture(Uint8Array.from(good, (byte, at) => (at === 0 ? 2 : byte)))).toEqual({
    ok: false,
    malformed: 'unknown-version',
  });
  const notANumber = good.slice();
  notANumber.fill(0xff, 8, 16);
  expect(parsePagePicture(notANumber)).toEqual({ ok: false, malformed: 'bad-timestamp' });
});

test('a decode-only copy differs in the flag only, and leaves the message unchanged', () => {
  const parts = [Uint8Array.of(0x65, 1)];
  const message = serializePagePicture({ number: 3, key: true, timestamp: ticks(9), sentAtMs: 8, parts });
  const copy = parsePagePicture(asDecodeOnly(message));
  const original = parsePagePicture(message);
  if (!copy.ok || !original.ok) throw new Error('both parse');
  expect(original.value.decodeOnly).toBeUndefined();
  expect(copy.value).toEqual({ ...original.value, decodeOnly: true });
});
