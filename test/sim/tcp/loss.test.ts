import { expect, test } from 'vitest';
import { instant, milliseconds, seconds } from '../../../protocol/base/units.ts';
import { at, dropData, numbered, Pair, type Rule } from './pair.ts';

const SEGMENT = 1_448;
const FLIGHT = 10 * SEGMENT;
const ROUND_TRIP = milliseconds(50);
/** The minimum retransmission timeout of Linux: one round trip plus 200 ms. */
const TIMEOUT = ROUND_TRIP + at(200);

/** Ten segments every 33 ms, as in a video stream. */
function frames(pair: Pair, count: number): Pair {
  for (let frame = 0; frame < count; frame++) pair.write(at(100 + 33 * frame), FLIGHT, frame * FLIGHT);
  return pair;
}

function checkWhole(pair: Pair, bytes: number): void {
  expect(Buffer.compare(pair.received, numbered(bytes))).toBe(0);
}

test('one lost segment delays its successors by one round trip', () => {
  const pair = new Pair({ forward: dropData(3) }).write(at(100), FLIGHT).run(instant(seconds(2)));
  expect(pair.arrivalOf(3 * SEGMENT - 1)).toBe(milliseconds(125));
  expect(pair.arrivalOf(3 * SEGMENT)).toBe(at(125) + ROUND_TRIP);
  expect(pair.arrivalOf(FLIGHT - 1)).toBe(at(125) + ROUND_TRIP);
  expect(pair.sender.counters).toMatchObject({ fastRetransmissions: 1, timeouts: 0, tailProbes: 0, segments: 11 });
  expect(pair.sender.flow?.congestionWindow).toBe(6);
  checkWhole(pair, FLIGHT);
});

test('a lost frame tail is detected when the next frame is acknowledged', () => {
  const pair = new Pair({ forward: dropData(4) }).write(at(100), FLIGHT / 2).write(at(133), FLIGHT / 2, FLIGHT / 2);
  pair.run(instant(seconds(2)));
  // The next frame is acknowledged at 133 + 50 ms, long after the reordering window.
  expect(pair.arrivalOf(FLIGHT / 2 - 1)).toBe(at(133) + ROUND_TRIP + ROUND_TRIP / 2);
  expect(pair.sender.counters).toMatchObject({ fastRetransmissions: 1, timeouts: 0, tailRetransmissions: 0 });
  checkWhole(pair, FLIGHT);
});

test('a lost tail without later data is probed after two round trips, before the timeout', () => {
  const pair = new Pair({ forward: dropData(8, 9) }).write(at(100), FLIGHT).run(instant(seconds(2)));
  // Two segments are outstanding at the last acknowledgment, at 150 ms.
  const probe = pair.data()[10]!;
  expect(probe.at).toBe(at(150) + 2 * ROUND_TRIP + milliseconds(2));
  expect(pair.sender.counters).toMatchObject({ tailProbes: 1, tailRetransmissions: 1, timeouts: 0 });
  checkWhole(pair, FLIGHT);
});

test('the probe for a single segment waits for a delayed acknowledgment', () => {
  const pair = new Pair({ forward: dropData(0) }).write(at(100), 100).run(instant(seconds(2)));
  expect(pair.data()[1]!.at).toBe(at(100) + TIMEOUT);
  expect(pair.sender.counters).toMatchObject({ tailProbes: 1, timeouts: 0 });
});

test('a tail loss probe that repaired a loss reduces the window once', () => {
  const pair = new Pair({ forward: dropData(9) }).write(at(100), FLIGHT).write(at(500), 1_000, FLIGHT);
  pair.run(instant(seconds(2)));
  expect(pair.sender.counters?.tailRetransmissions).toBe(1);
  expect(pair.sender.flow?.slowStartThreshold).toBeLessThan(0x7fff_ffff);
  expect(pair.sender.flow?.congestionWindow).toBe(pair.sender.flow?.slowStartThreshold);
});

test('RACK detects a lost retransmission one round trip later while data flows', () => {
  const again: Rule = (segment, _, data) =>
    data === 3 ? 'drop' : isFirstRepeat(segment.sequence) ? 'drop' : undefined;
  const seen = new Map<number, number>();
  const isFirstRepeat = (sequence: number) => {
    const times = seen.get(sequence) ?? 0;
    seen.set(sequence, times + 1);
    return sequence === 1_001 + 3 * SEGMENT && times === 0 && seen.size > 4;
  };
  const pair = frames(new Pair({ forward: again }), 8).run(instant(seconds(3)));
  expect(pair.forward.dropped).toHaveLength(2);
  expect(pair.sender.counters).toMatchObject({ timeouts: 0, fastRetransmissions: 2 });
  const stall = pair.arrivalOf(3 * SEGMENT) - at(125);
  expect(stall).toBeGreaterThanOrEqual(2 * ROUND_TRIP);
  expect(stall).toBeLessThanOrEqual(2 * ROUND_TRIP + at(33));
});

test('a lost retransmission without later data waits for the timeout: one round trip and 200 ms', () => {
  const pair = new Pair({ forward: dropData(3, 10) }).write(at(100), FLIGHT).run(instant(seconds(3)));
  expect(pair.sender.counters).toMatchObject({ timeouts: 1, fastRetransmissions: 1, timeoutRetransmissions: 1 });
  const again = pair.data()[11]!.at - at(150);
  expect(again).toBeGreaterThanOrEqual(TIMEOUT);
  expect(again).toBeLessThan(TIMEOUT + at(2));
  checkWhole(pair, FLIGHT);
});

test('consecutive timeouts double', () => {
  const vanish: Rule = (_, __, data) => (data >= 0 && data < 5 ? 'drop' : undefined);
  const pair = new Pair({ forward: vanish }).write(at(100), 100).run(instant(seconds(10)));
  const sent = pair.data().map((sight) => sight.at);
  // The probe comes first, then three timeouts; the first one counts from the segment's transmission.
  const waits = sent.slice(2).map((instant, index) => instant - sent[index + 1]!);
  expect(waits.slice(1, 4).map((wait, index) => Math.round(wait / waits[index]!))).toEqual([2, 2, 2]);
  checkWhole(pair, 100);
});

test.each([
  [3, 150],
  [8, 200],
])('a burst of %i lost segments out of ten is repaired without a timeout', (count, untilMs) => {
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  const pair = frames(new Pair({ forward: dropData(...numbers) }), 6).run(instant(seconds(3)));
  expect(pair.sender.counters?.timeouts).toBe(0);
  expect(pair.sender.counters?.fastRetransmissions).toBe(count);
  expect(pair.arrivalOf(SEGMENT * (count + 1) - 1) - at(125)).toBeLessThanOrEqual(at(untilMs));
  checkWhole(pair, 6 * FLIGHT);
});

test('a lost flight of ten is recovered after its probe, without a timeout', () => {
  const numbers = Array.from({ length: 10 }, (_, index) => index);
  const pair = new Pair({ forward: dropData(...numbers) }).write(at(100), FLIGHT).run(instant(seconds(3)));
  expect(pair.data()[10]!.at).toBe(at(100) + 2 * ROUND_TRIP + milliseconds(2));
  expect(pair.sender.counters?.timeouts).toBe(0);
  checkWhole(pair, FLIGHT);
});

test('a lost acknowledgment is covered by the next one', () => {
  const clean = frames(new Pair(), 3).run(instant(seconds(2)));
  const pair = frames(new Pair({ back: (_, number) => (number === 4 ? 'drop' : undefined) }), 3).run(
    instant(seconds(2)),
  );
  expect(pair.sender.counters?.segments).toBe(30);
  expect(pair.arrivalOf(3 * FLIGHT - 1)).toBe(clean.arrivalOf(3 * FLIGHT - 1));
});

test('reordering within a quarter of a round trip is not treated as loss', () => {
  const swap: Rule = (_, __, data) => (data % 5 === 2 ? { delay: at(4) } : undefined);
  const pair = frames(new Pair({ forward: swap }), 30).run(instant(seconds(3)));
  // The first one may be: three segments overtook it, and no reordering had been observed.
  expect(pair.sender.counters?.fastRetransmissions).toBeLessThanOrEqual(2);
  expect(pair.sender.counters?.timeouts).toBe(0);
  expect(pair.sender.flow?.reorderingSeen).toBe(true);
  checkWhole(pair, 30 * FLIGHT);
});

test('a window reduction for a late segment is undone', () => {
  const late: Rule = (_, __, data) => (data === 3 ? { delay: at(40) } : undefined);
  const pair = frames(new Pair({ forward: late }), 6).run(instant(seconds(3)));
  expect(pair.sender.counters?.fastRetransmissions).toBe(1);
  expect(pair.sender.counters?.undone).toBe(1);
  expect(pair.sender.flow?.congestionWindow).toBeGreaterThanOrEqual(10);
});

test('a closed window is probed until it opens', () => {
  const pair = new Pair({ receiver: { receiveBufferBytes: 20_000 } });
  pair
    .at(at(60), () => pair.receiver.setReading(false))
    .write(at(100), 60_000)
    .at(instant(seconds(3)), () => pair.receiver.setReading(true))
    .run(instant(seconds(2.9)));
  expect(pair.received).toHaveLength(0);
  expect(pair.sender.counters?.windowProbes).toBeGreaterThanOrEqual(3);
  expect(pair.sender.flow!.next - pair.sender.flow!.unacknowledged).toBe(0);
  pair.run(instant(seconds(5)));
  checkWhole(pair, 60_000);
});

test('a lost window update is recovered by the next window probe', () => {
  const loseUpdate: Rule = (segment) =>
    segment.window > 0 && pairAt(segment.options.timestamps!.value) ? 'drop' : undefined;
  const pairAt = (ms: number) => ms === 3_000;
  const pair = new Pair({ receiver: { receiveBufferBytes: 20_000 }, back: loseUpdate });
  pair
    .at(at(60), () => pair.receiver.setReading(false))
    .write(at(100), 60_000)
    .at(instant(seconds(3)), () => pair.receiver.setReading(true))
    .run(instant(seconds(20)));
  checkWhole(pair, 60_000);
});

test('a gap reported together with the preceding segment is not reordering, and is repaired at once', () => {
  // The second segment of frame 8: the first is unacknowledged when the third reveals the gap.
  const pair = frames(new Pair({ forward: dropData(81) }), 10).run(instant(seconds(3)));
  const [first] = pair.data().filter(({ segment }) => segment.sequence === 1_001 + 81 * SEGMENT);
  const [, again] = pair.data().filter(({ segment }) => segment.sequence === 1_001 + 81 * SEGMENT);
  expect(first!.at).toBe(milliseconds(100 + 33 * 8));
  expect(again!.at).toBe(first!.at + ROUND_TRIP);
  expect(pair.sender.flow?.reorderingSeen).toBe(false);
  checkWhole(pair, 10 * FLIGHT);
});

test('after a spurious timeout, real losses are detected without another timeout', () => {
  // Acknowledgments are delayed by 400 ms, beyond the timeout; only the eighth segment is lost.
  const late: Rule = (_, number) => (number > 0 && number <= 11 ? { delay: at(400) } : undefined);
  const pair = new Pair({ forward: dropData(7), back: late }).write(at(100), FLIGHT).run(instant(seconds(5)));
  expect(pair.sender.counters).toMatchObject({ timeouts: 1, undone: 1, fastRetransmissions: 1 });
  // They arrive at 125 + 400 + 25 ms, and the eighth segment follows at once.
  expect(pair.arrivalOf(8 * SEGMENT - 1)).toBe(at(550) + ROUND_TRIP / 2);
  checkWhole(pair, FLIGHT);
});
