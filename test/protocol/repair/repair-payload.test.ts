import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseRepairPayload, serializeRepairPayload } from '../../../protocol/repair/repair-payload.ts';
import { wireSequence } from '../../../protocol/rtp/sequence.ts';
import { hex, uint } from '../bytes.ts';

const SYMBOL = '0011 8060ffff 00000001 000000aa 65 0000';

test('the header is six bytes: key, density and window, first sequence number', () => {
  const payload = {
    repairKey: 0x1234,
    density: 15,
    windowPackets: 0x0c8,
    firstSequence: wireSequence(0xfffe),
    symbol: hex(SYMBOL),
  };
  // Key 1234; density f and 0c8 packets; from fffe; then the symbol.
  const bytes = hex(`1234 f0c8 fffe ${SYMBOL}`);
  expect(serializeRepairPayload(payload)).toEqual(bytes);
  expect(parseRepairPayload(bytes)).toEqual({ ok: true, value: payload });
});

test('serialize and parse round-trip', () => {
  const payload = fc.record({
    repairKey: uint(16),
    density: uint(4),
    windowPackets: fc.integer({ min: 1, max: 4095 }),
    firstSequence: uint(16).map((n) => wireSequence(n)),
    symbol: fc.uint8Array({ minLength: 14, maxLength: 60 }),
  });
  fc.assert(
    fc.property(payload, (payload) => {
      expect(parseRepairPayload(serializeRepairPayload(payload))).toEqual({ ok: true, value: payload });
    }),
  );
});

test('a symbol too short for an RTP packet is malformed', () => {
  expect(parseRepairPayload(hex('1234 f001 0000 00000000000000000000000000'))).toEqual({
    ok: false,
    malformed: 'repair-too-short',
  });
  expect(parseRepairPayload(new Uint8Array())).toEqual({ ok: false, malformed: 'repair-too-short' });
});

test('a window of no packets is malformed', () => {
  expect(parseRepairPayload(hex(`1234 f000 0000 ${SYMBOL}`))).toEqual({ ok: false, malformed: 'repair-window-empty' });
});

test('never throws on arbitrary bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const payload = parseRepairPayload(bytes);
      if (payload.ok) expect(serializeRepairPayload(payload.value)).toEqual(bytes);
      else expect(payload.malformed).toMatch(/^repair-/);
    }),
  );
});
