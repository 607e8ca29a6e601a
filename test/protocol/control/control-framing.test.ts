import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  CONTROL_BODY_BYTES_MAX,
  ControlDeframer,
  serializeControlFrame,
} from '../../../protocol/control/control-framing.ts';
import { cutAt, hex } from '../bytes.ts';

const body = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => index);

test('puts a header of eight bytes in front of the body', () => {
  // "DF", version 1, reserved, four bytes of length, then the body.
  expect(serializeControlFrame(hex('7b7d'))).toEqual(hex('4446 01 00 00000002 7b7d'));
});

test('accepts a body of the maximum length', () => {
  const largest = body(CONTROL_BODY_BYTES_MAX);
  expect(new ControlDeframer().push(serializeControlFrame(largest))).toEqual({ ok: true, value: [largest] });
});

test('never sends an empty body or one above the limit', () => {
  expect(() => serializeControlFrame(body(0))).toThrow('must not be empty');
  expect(() => serializeControlFrame(body(CONTROL_BODY_BYTES_MAX + 1))).toThrow('exceed the size limit');
});

test('reassembles a message split at any byte, and counts pending bytes', () => {
  const sent = [body(3), body(300)];
  const stream = Uint8Array.from(sent.flatMap((body) => [...serializeControlFrame(body)]));
  for (let place = 0; place <= stream.length; place++) {
    const deframer = new ControlDeframer();
    const first = deframer.push(stream.subarray(0, place));
    expect(deframer.pendingBytes).toBe(place < 11 ? place : place < stream.length ? place - 11 : 0);
    const second = deframer.push(stream.subarray(place));
    expect(deframer.pendingBytes).toBe(0);
    if (!first.ok || !second.ok) throw new Error(`refused when split at ${place}`);
    expect([...first.value, ...second.value]).toEqual(sent);
  }
});

test('framing and deframing round-trip, wherever the stream is cut', () => {
  const bodies = fc.array(fc.uint8Array({ minLength: 1, maxLength: 700 }), { maxLength: 8 });
  fc.assert(
    fc.property(bodies, fc.array(fc.nat(), { maxLength: 40 }), (bodies, places) => {
      const stream = Uint8Array.from(bodies.flatMap((body) => [...serializeControlFrame(body)]));
      const deframer = new ControlDeframer();
      const received = cutAt(stream, places).flatMap((chunk) => {
        const result = deframer.push(chunk);
        if (!result.ok) throw new Error(result.malformed);
        return result.value;
      });
      expect(received).toEqual(bodies);
    }),
  );
});

test.each([
  ['HTTP', '47', 'not-the-control-protocol'],
  ['another second letter', '4447', 'not-the-control-protocol'],
  ['another version', '444602', 'version'],
  ['a reserved byte in use', '44460101', 'reserved'],
  ['an empty body', '4446010000000000', 'empty-body'],
  ['a body one byte over the limit', '4446010000010001', 'body-over-limit'],
  ['a body of four gigabytes', '44460100ffffffff', 'body-over-limit'],
])('%s is refused at the byte that shows it, with nothing held', (_, bytes, cause) => {
  const deframer = new ControlDeframer();
  const [last, ...before] = [...hex(bytes)].reverse();
  for (const byte of before.reverse()) expect(deframer.push(Uint8Array.of(byte))).toEqual({ ok: true, value: [] });
  expect(deframer.push(Uint8Array.of(last!))).toEqual({ ok: false, malformed: cause });
  expect(deframer.pendingBytes).toBe(0);
});

test('a refused stream stays refused', () => {
  const deframer = new ControlDeframer();
  deframer.push(hex('00'));
  const sound = serializeControlFrame(body(3));
  expect(deframer.push(sound)).toEqual({ ok: false, malformed: 'not-the-control-protocol' });
  expect(deframer.push(new Uint8Array(0))).toEqual({ ok: false, malformed: 'not-the-control-protocol' });
});

test('a refusal discards the messages of the same chunk', () => {
  const chunk = Uint8Array.of(...serializeControlFrame(body(3)), 0x00);
  expect(new ControlDeframer().push(chunk)).toEqual({ ok: false, malformed: 'not-the-control-protocol' });
});

test('never throws on arbitrary bytes or buffers more than it received', () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.constant(hex('44460100000000ff')),
    fc.constant(hex('4446')),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const deframer = new ControlDeframer();
      let sent = 0;
      for (const piece of pieces) {
        sent += piece.length;
        deframer.push(piece);
        expect(deframer.pendingBytes).toBeLessThanOrEqual(sent);
      }
    }),
  );
});
