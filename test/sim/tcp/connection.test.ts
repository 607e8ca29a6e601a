import { expect, test } from 'vitest';
import { instant, milliseconds, seconds } from '../../../protocol/base/units.ts';
import { ACK, FIN, parseSegment, RST, SYN } from '../../../sim/tcp/segment.ts';
import { at, numbered, Pair, type Rule } from './pair.ts';

const kinds = (events: Pair['senderEvents']) => events.map(({ event }) => event.kind);

test('the handshake takes one round trip for the active end and one and a half for the passive end', () => {
  const pair = new Pair().run(at(500));
  expect(pair.senderEvents).toEqual([{ at: milliseconds(50), event: { kind: 'established' } }]);
  expect(pair.receiverEvents).toEqual([{ at: milliseconds(75), event: { kind: 'established' } }]);
  expect(pair.sights.map(({ at: instant }) => instant)).toEqual([0, at(25), at(50)]);
});

test('early writes are sent when the handshake completes', () => {
  const pair = new Pair().write(at(10), 1_448).run(at(500));
  expect(pair.arrivalOf(1_447)).toBe(milliseconds(75));
});

test('a lost SYN is retransmitted after one second, and after two more', () => {
  const pair = new Pair({ forward: (_, number) => (number < 2 ? 'drop' : undefined) }).run(instant(seconds(5)));
  expect(pair.sights.filter(({ segment }) => segment.flags & SYN).map((sight) => sight.at)).toEqual([
    0,
    seconds(1),
    seconds(3),
    seconds(3) + at(25),
  ]);
  expect(pair.sender.isEstablished).toBe(true);
});

test('a lost SYN-ACK is retransmitted when the SYN is repeated', () => {
  const pair = new Pair({ back: (_, number) => (number === 0 ? 'drop' : undefined) }).run(instant(seconds(5)));
  expect(pair.senderEvents[0]).toEqual({ at: seconds(1) + at(50), event: { kind: 'established' } });
});

test('the active end gives up after six SYN retransmissions', () => {
  const pair = new Pair({ forward: () => 'drop' }).run(instant(seconds(200)));
  expect(pair.senderEvents).toEqual([{ at: seconds(127), event: { kind: 'timed-out' } }]);
});

test('the first flight has ten segments, and doubles each round trip', () => {
  const pair = new Pair().write(at(100), 200 * 1_448).run(instant(seconds(2)));
  const flights = [100, 150, 200, 250].map((ms) => pair.data().filter((sight) => sight.at === at(ms)).length);
  expect(flights).toEqual([10, 20, 40, 80]);
  expect(Buffer.compare(pair.received, numbered(200 * 1_448))).toBe(0);
});

test('the end of the stream follows its last byte, and both ends report closed', () => {
  const pair = new Pair().write(at(100), 5_000);
  pair.at(at(100), (now) => pair.sender.finish(now)).run(instant(seconds(2)));
  expect(Buffer.compare(pair.received, numbered(5_000))).toBe(0);
  expect(kinds(pair.receiverEvents)).toEqual(['established', 'data', 'data', 'data', 'data', 'finished', 'closed']);
  expect(kinds(pair.senderEvents)).toEqual(['established', 'finished', 'closed']);
});

test('a lost FIN is retransmitted', () => {
  let dropped = false;
  const dropFirstFinish: Rule = (segment) => {
    if (dropped || (segment.flags & FIN) === 0) return undefined;
    dropped = true;
    return 'drop';
  };
  const pair = new Pair({ forward: dropFirstFinish }).write(at(100), 5_000);
  pair.at(at(200), (now) => pair.sender.finish(now)).run(instant(seconds(3)));
  expect(dropped).toBe(true);
  expect(kinds(pair.senderEvents)).toEqual(['established', 'finished', 'closed']);
});

test('an abort sends a RST that is not answered', () => {
  const pair = new Pair().write(at(100), 5_000);
  pair.at(at(110), () => pair.sender.abort()).run(instant(seconds(2)));
  expect(kinds(pair.receiverEvents).at(-1)).toBe('reset');
  const forward = pair.sights.filter(({ direction }) => direction === 'forward');
  expect(forward.at(-1)?.segment.flags).toBe(RST | ACK);
  expect(pair.sights.filter((sight) => sight.at > at(125) && sight.direction === 'back')).toEqual([]);
});

test('a connection fails after fifteen consecutive timeouts, about a quarter of an hour', () => {
  const pair = new Pair({ forward: (segment) => (segment.payload.length > 0 ? 'drop' : undefined) });
  pair.write(at(100), 1_000).run(instant(seconds(3_600)));
  const last = pair.senderEvents.at(-1);
  expect(last?.event.kind).toBe('timed-out');
  expect(last?.at).toBeGreaterThan(seconds(800));
  expect(last?.at).toBeLessThan(seconds(1_200));
  expect(pair.sender.counters?.timeouts).toBe(15);
});

test.each([0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ff00, 0xffff_fffe, 0xffff_ffff])(
  'a stream with losses survives sequence wrap-around from %i',
  (initialSequence) => {
    const rule: Rule = (_, __, data) => (data % 7 === 3 ? 'drop' : undefined);
    const pair = new Pair({ forward: rule, sender: { initialSequence }, receiver: { initialSequence } });
    pair.write(at(100), 100_000).run(instant(seconds(20)));
    expect(Buffer.compare(pair.received, numbered(100_000))).toBe(0);
    expect(pair.forward.dropped.length).toBeGreaterThan(5);
  },
);

test('invalid and foreign segments are reported and ignored', () => {
  const pair = new Pair().run(at(200));
  const strange = pair.sights[0]!;
  pair.receiver.handleDatagram(at(200), Uint8Array.of(1, 2, 3));
  expect(pair.receiver.pollEvent()).toEqual({ kind: 'malformed', cause: 'too-short' });
  // The sender's own segment, sent back: the ports are reversed.
  expect(strange.direction).toBe('forward');
  pair.write(at(300), 1_000).run(at(400));
  expect(pair.received).toHaveLength(1_000);
  expect(parseSegment(new Uint8Array(0)).ok).toBe(false);
});

test('the final ACK of the handshake carries no data, even with data waiting', () => {
  const pair = new Pair().write(instant(0), 100).run(instant(seconds(1)));
  const forward = pair.sights.filter(({ direction }) => direction === 'forward').map(({ segment }) => segment);
  expect(forward.slice(0, 3).map(({ payload }) => payload.length)).toEqual([0, 0, 100]);
  expect(forward[1]).toMatchObject({ sequence: 1_001, flags: 0x10 });
});

test('the first ten segments of a paced connection leave at once, later ones are paced', () => {
  const pair = new Pair({ sender: { congestionControl: 'bbr' } }).write(at(100), 40 * 1_448).run(instant(seconds(1)));
  const sent = pair.data().map((sight) => sight.at);
  expect(new Set(sent.slice(0, 10))).toEqual(new Set([milliseconds(100)]));
  const later = sent.slice(10, 30);
  expect(later.at(-1)! - later[0]!).toBeGreaterThan(at(20));
});

test('an unused window keeps its size while data is in flight, and shrinks after idle time', () => {
  const pair = new Pair().write(at(100), 60 * 1_448);
  for (let frame = 0; frame < 60; frame++) pair.write(at(400 + 33 * frame), 3_000);
  pair.run(at(350));
  const grown = pair.sender.flow!.congestionWindow;
  expect(grown).toBeGreaterThan(40);
  pair.run(at(2_300));
  expect(pair.sender.flow!.congestionWindow).toBe(grown);
  pair.write(at(5_000), 3_000).run(at(5_010));
  expect(pair.sender.flow!.congestionWindow).toBe(10);
});
