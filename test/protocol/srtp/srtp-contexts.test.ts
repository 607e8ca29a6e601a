import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nodeCipher } from '../../../io/crypto/node-cipher.ts';
import { ReusedMemory } from '../../../protocol/base/reused-memory.ts';
import { serializeRtcp } from '../../../protocol/rtcp/rtcp.ts';
import { IncomingContext } from '../../../protocol/srtp/incoming-context.ts';
import { OutgoingContext } from '../../../protocol/srtp/outgoing-context.ts';
import { sessionMasterKeys } from '../../../protocol/srtp/srtp-keys.ts';
import { hex, plain } from '../bytes.ts';
import { contexts, mac, packet, report, SSRC } from './contexts.ts';

test('protect then unprotect restores the packet, and the original is unchanged', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1_400 }), fc.integer({ min: 0, max: 0xffff }), (payload, first) => {
      const { outgoing, incoming } = contexts();
      const clear = packet(first, { payload });
      const original = plain(clear);
      const wire = outgoing.protect(clear);
      expect(wire).toHaveLength(clear.length + 16);
      expect(plain(clear)).toEqual(original);
      expect(plain(incoming.unprotect(wire)!)).toEqual(original);
    }),
  );
});

test('the payload and the frame mark are not on the wire', () => {
  const payload = new TextEncoder().encode('a frame of somebody');
  const wire = Buffer.from(contexts().outgoing.protect(packet(1, { payload })));
  expect(wire.includes(Buffer.from(payload))).toBe(false);
  expect(wire.includes(Buffer.from(hex('16 80 12 34 00 02 00 09')))).toBe(false);
  // RFC 9335 §5.1: only the fixed header, and the kind and length of the extension.
  expect(plain(wire.subarray(0, 16))).toEqual(hex('90 60 00 01 00015f90 12345678 c0de 0002'));
});

test('RTCP is longer by 20 bytes; header and SSRC of its first packet are in the clear', () => {
  const { outgoing, incoming } = contexts();
  const clear = report();
  const wire = outgoing.protect(clear);
  expect(wire).toHaveLength(clear.length + 20);
  expect(plain(wire.subarray(0, 8))).toEqual(plain(clear.subarray(0, 8)));
  expect(plain(incoming.unprotect(wire)!)).toEqual(plain(clear));
});

test('each bit that is flipped, and each byte that is cut, makes a packet a forgery', () => {
  for (const clear of [packet(300), report()]) {
    const wire = contexts().outgoing.protect(clear);
    const { incoming } = contexts();
    for (let bit = 0; bit < wire.length * 8; bit++) {
      const flipped = plain(wire);
      flipped[bit >> 3] = flipped[bit >> 3]! ^ (1 << (bit & 7));
      expect(incoming.unprotect(flipped)).toBeUndefined();
    }
    for (let length = 0; length < wire.length; length++) {
      expect(incoming.unprotect(wire.slice(0, length))).toBeUndefined();
    }
    expect(plain(incoming.unprotect(wire)!)).toEqual(plain(clear));
  }
});

test('any bytes are refused', () => {
  const { incoming } = contexts();
  const any = fc.uint8Array({ maxLength: 200 });
  const likeRtp = any.map((bytes) => Uint8Array.from([0x90, 96, 0, 1, 0, 0, 0, 0, 0x12, 0x34, 0x56, 0x78, ...bytes]));
  const likeRtcp = any.map((bytes) => Uint8Array.from([0x80, 201, 0, 1, 0x12, 0x34, 0x56, 0x78, ...bytes]));
  fc.assert(fc.property(fc.oneof(any, likeRtp, likeRtcp), (bytes) => incoming.unprotect(bytes) === undefined));
});

test('a packet is accepted once, in any order within the window, and not below it', () => {
  const { outgoing, incoming } = contexts({ replayWindowPackets: 64 });
  const wires = Array.from({ length: 100 }, (_, sequence) => outgoing.protect(packet(sequence)));
  const accepts = (sequence: number) => incoming.unprotect(wires[sequence]!) !== undefined;
  expect([0, 2, 1, 2, 1, 0].map(accepts)).toEqual([true, true, true, false, false, false]);
  expect([99, 36, 35, 36, 99].map(accepts)).toEqual([true, true, false, false, false]);
  expect(incoming.refused).toEqual({ malformed: 0, replayed: 6, forged: 0 });
});

test('a context beside another knows its roll-over counter after five wraps that it has not seen, and keeps its own window', () => {
  const { outgoing, incoming, besides } = contexts();
  const away = besides();
  const before = outgoing.protect(packet(0));
  for (const context of [incoming, away]) expect(context.unprotect(before)).toBeDefined();
  let wire = before;
  for (let sequence = 16_384; sequence <= 5 * 65_536; sequence += 16_384) {
    wire = outgoing.protect(packet(sequence));
    expect(incoming.unprotect(wire)).toBeDefined();
  }
  expect(incoming.unprotect(wire), 'a replay').toBeUndefined();
  expect(away.unprotect(wire), 'a copy by another path').toBeDefined();
  expect(away.unprotect(wire), 'a replay').toBeUndefined();
  expect(away.refused).toEqual({ malformed: 0, replayed: 1, forged: 0 });
});

test('a forgery changes nothing: the genuine packet with its number is still accepted', () => {
  const { outgoing, incoming } = contexts();
  const wire = outgoing.protect(packet(7));
  const forged = plain(wire);
  forged[20] = forged[20]! ^ 1;
  expect(incoming.unprotect(forged)).toBeUndefined();
  expect(incoming.unprotect(wire)).toBeDefined();
});

test('sequence numbers wrap: the roll-over counter follows, with packets out of order on both sides', () => {
  for (const first of [0, 1, 32_767, 32_768, 65_534, 65_535]) {
    const { outgoing, incoming } = contexts();
    const wires = Array.from({ length: 40 }, (_, index) => outgoing.protect(packet(first + index * 5_000)));
    const swapped = wires.flatMap((wire, index) => (index % 2 === 0 ? [wires[index + 1]!, wire] : []));
    // The first two are not swapped: a receiver knows no earlier packet of this SSRC.
    const order = [wires[0]!, wires[1]!, ...swapped.slice(2)];
    expect(order.every((wire) => incoming.unprotect(wire) !== undefined)).toBe(true);
  }
});

test('a receiver follows again after the loss of several rounds of sequence numbers', () => {
  const { outgoing, incoming } = contexts();
  for (let sequence = 0; sequence < 10; sequence++) incoming.unprotect(outgoing.protect(packet(sequence)));
  // Nothing of five rounds arrives; the sender's own counter needs a packet in each.
  let next = 10;
  for (; next < 5 * 65_536; next += 40_000) outgoing.protect(packet(next));
  let tries = 0;
  while (!incoming.unprotect(outgoing.protect(packet(++next)))) expect(++tries).toBeLessThan(8);
  expect(incoming.unprotect(outgoing.protect(packet(++next)))).toBeDefined();
});

test('the keys change with the epoch, and packets around the change are accepted in any order', () => {
  const secret = new Uint8Array(32).fill(7);
  const used: number[] = [];
  const masterKeys = (epoch: number) => {
    used.push(epoch);
    return sessionMasterKeys(mac, secret, 'to-receiver')(epoch);
  };
  const common = { cipher: nodeCipher, epochPackets: 256, masterKeys };
  const [outgoing, incoming] = [new OutgoingContext(common), new IncomingContext(common)];
  const wires = Array.from({ length: 1_000 }, (_, sequence) => outgoing.protect(packet(sequence)));
  const reports = Array.from({ length: 1_000 }, () => outgoing.protect(report()));
  const backAndForth = (list: Uint8Array[]) =>
    list.flatMap((_, at) => (at % 50 === 0 ? list.slice(at, at + 50).reverse() : []));
  expect(backAndForth(wires).every((wire) => incoming.unprotect(wire))).toBe(true);
  expect(backAndForth(reports).every((wire) => incoming.unprotect(wire))).toBe(true);
  expect(new Set(used)).toEqual(new Set([0, 1, 2, 3]));
});

test('forged indices far ahead derive no keys', () => {
  let derived = 0;
  const masterKeys = (epoch: number) => {
    derived++;
    return sessionMasterKeys(mac, new Uint8Array(32), 'to-sender')(epoch);
  };
  const incoming = new IncomingContext({ cipher: nodeCipher, masterKeys });
  for (let index = 0; index < 5_000; index++) {
    const forged = new Uint8Array(40).fill(1);
    forged.set(hex('80 c9 00 01 00000009'));
    new DataView(forged.buffer).setUint32(36, 0x8000_0000 + index * 429_000);
    expect(incoming.unprotect(forged)).toBeUndefined();
  }
  expect(derived).toBeLessThanOrEqual(2);
});

test('state exists only for SSRCs with an authentic packet', () => {
  const { outgoing, incoming } = contexts();
  for (let ssrc = 1; ssrc <= 10_000; ssrc++) {
    const forged = packet(ssrc, { ssrc, payload: new Uint8Array(40) });
    expect(incoming.unprotect(forged)).toBeUndefined();
  }
  expect(incoming.unprotect(outgoing.protect(packet(1)))).toBeDefined();
});

test('SSRCs of one direction share a key and no nonce: equal packets differ on the wire', () => {
  const { outgoing } = contexts();
  const [one, other] = [outgoing.protect(packet(5, { ssrc: SSRC })), outgoing.protect(packet(5, { ssrc: SSRC ^ 1 }))];
  expect(plain(one.subarray(16))).not.toEqual(plain(other.subarray(16)));
});

test('the two directions have different keys, so a reflected packet is a forgery', () => {
  const secret = new Uint8Array(32).fill(7);
  const common = { cipher: nodeCipher };
  const out = new OutgoingContext({ ...common, masterKeys: sessionMasterKeys(mac, secret, 'to-sender') });
  const back = new IncomingContext({ ...common, masterKeys: sessionMasterKeys(mac, secret, 'to-receiver') });
  expect(back.unprotect(out.protect(report()))).toBeUndefined();
});

test('packets in memory that is used again are equal to those in memory of their own', () => {
  const masterKeys = sessionMasterKeys(mac, new Uint8Array(32).fill(7), 'to-receiver');
  const memory = new ReusedMemory();
  const [own, reused] = [
    new OutgoingContext({ cipher: nodeCipher, masterKeys }),
    new OutgoingContext({ cipher: nodeCipher, masterKeys, memory }),
  ];
  for (let sequence = 0; sequence < 20; sequence++) {
    const clear = [
      packet(sequence, { payload: new Uint8Array(1 + ((sequence * 97) % 300)).fill(sequence) }),
      serializeRtcp([{ kind: 'goodbye', ssrcs: [SSRC], reason: 'x'.repeat(sequence) }]),
    ];
    expect(clear.map((each) => plain(reused.protect(each)))).toEqual(clear.map((each) => plain(own.protect(each))));
    memory.release();
  }
});

test('a sequence number is protected once', () => {
  const { outgoing } = contexts();
  outgoing.protect(packet(5));
  expect(() => outgoing.protect(packet(5))).toThrow('a nonce is never used twice');
});

test('an extension in the clear is refused where Cryptex is agreed, and accepted where it is not', () => {
  const masterKeys = sessionMasterKeys(mac, new Uint8Array(32).fill(7), 'to-receiver');
  const plainExtension = new OutgoingContext({ cipher: nodeCipher, masterKeys, cryptex: false });
  const [first, second] = [plainExtension.protect(packet(1)), plainExtension.protect(packet(2))];
  expect(new IncomingContext({ cipher: nodeCipher, masterKeys }).unprotect(first)).toBeUndefined();
  const other = new IncomingContext({ cipher: nodeCipher, masterKeys, cryptex: false });
  expect(plain(other.unprotect(second)!)).toEqual(plain(packet(2)));
});
