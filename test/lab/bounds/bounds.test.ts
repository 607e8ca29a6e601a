import { describe, expect, test } from 'vitest';
import { binomial } from '../../../lab/bounds/binomial.ts';
import { causalLoss, causalPackets } from '../../../lab/bounds/causal-bound.ts';
import { framePolicies, packetsForLoss } from '../../../lab/bounds/frame-bound.ts';
import { feedbackRounds, isMemoryless, recoveryBound, repairSlots } from '../../../lab/bounds/recovery-bound.ts';
import { milliseconds } from '../../../protocol/base/units.ts';
import { parseLinkSpecification } from '../../../sim/link/link-parse.ts';
import { RandomStream } from '../../../sim/random.ts';

const HEADERS = 0.0199;
const overhead = (sent: number | undefined, packets: number) => ((1 + HEADERS) * sent!) / packets - 1;

describe('known values', () => {
  // Header share 1.99 %, twelve packets a frame; calculated independently.
  test.each([
    ['5 %, two rounds', 0.05, 12, 2, 0.00005, 0.0768],
    ['10 %, two rounds', 0.1, 12, 2, 0.00012, 0.1516],
    ['3 %, one round', 0.03, 12, 1, 0.0002, 0.0843],
    // A group that fails costs one of its frames.
    ['10 %, two frames together', 0.1, 24, 2, 2 * 0.00012, 0.1477],
    ['3 %, two frames together', 0.03, 24, 1, 2 * 0.0002, 0.077],
    ['3 %, three frames together', 0.03, 36, 1, 3 * 0.0002, 0.0691],
  ])('frame by frame: %s', (_, loss, packets, rounds, lost, expected) => {
    const sent = packetsForLoss(framePolicies({ loss, packets, rounds }), lost);
    expect(overhead(sent, packets)).toBeCloseTo(expected, 4);
  });

  test.each([
    ['three slots', 3, 0.114, 0.00015],
    ['four slots', 4, 0.105, 0.000046],
  ])('without feedback: %s', (_, slots, spent, expected) => {
    const repair = ((1 + spent) / (1 + HEADERS) - 1) * 12;
    expect(causalLoss({ loss: 0.01, packets: 12, slots }, repair)).toBeCloseTo(expected, 5);
  });

  test('any scheme', () => {
    const stream = { loss: 0.05, packets: 12, headers: HEADERS, frameInterval: milliseconds(33) };
    const path = { oneWay: milliseconds(25), roundTrip: milliseconds(50), budget: milliseconds(150) };
    expect(recoveryBound({ ...stream, ...path }, 0.00005).floor).toBeCloseTo(0.0735, 4);
  });
});

const COUNTS = Array.from({ length: 20 }, (_, count) => count);

describe('closed forms', () => {
  test('one packet with one last round is retransmitted in the number of copies that the price implies', () => {
    const policies = framePolicies({ loss: 0.1, packets: 1, rounds: 1 });
    for (const { lost, sent } of policies) {
      // Sent `first` times, then `last` times if all were lost.
      const ways = COUNTS.flatMap((first) =>
        COUNTS.map((last) => ({ lost: 0.1 ** (first + 1 + last), sent: first + 1 + 0.1 ** (first + 1) * last })),
      );
      expect(ways.some((way) => Math.abs(way.lost - lost) < 1e-12 && Math.abs(way.sent - sent) < 1e-9)).toBe(true);
    }
  });

  test('without loss, each packet is sent once', () => {
    expect(framePolicies({ loss: 0, packets: 7, rounds: 2 })).toEqual([{ lost: 0, sent: 7 }]);
    expect(causalPackets({ loss: 0, packets: 7, slots: 2 }, 0)).toBe(7);
  });

  test('with one slot, the bound is that of a block code', () => {
    const losses = binomial(15, 0.1);
    let failing = 0;
    for (let lost = 4; lost <= 15; lost++) failing += losses[lost]!;
    expect(causalLoss({ loss: 0.1, packets: 12, slots: 1 }, 3)).toBeCloseTo(failing, 12);
  });

  test('without a slot, a frame is lost with its first packet', () => {
    expect(causalLoss({ loss: 0.1, packets: 12, slots: 0 }, 3)).toBeCloseTo(1 - 0.9 ** 12, 12);
    expect(causalPackets({ loss: 0.1, packets: 12, slots: 0 }, 0.1)).toBeUndefined();
  });
});

test('no policy of a simulated sender falls below the hull', () => {
  const [loss, packets] = [0.1, 6];
  const policies = framePolicies({ loss, packets, rounds: 1 });
  const random = new RandomStream(11, 'policies');
  let drawn = 0;
  const arrives = () => !random.chance(drawn++, loss);
  for (const [extra, again] of [
    [0, 0],
    [0, 2],
    [1, 1],
    [3, 0],
  ] as const) {
    let [lost, sent] = [0, 0];
    const frames = 200_000;
    for (let frame = 0; frame < frames; frame++) {
      let missing = packets;
      for (let count = 0; count < packets + extra; count++) if (arrives()) missing--;
      sent += packets + extra;
      if (missing <= 0) continue;
      const more = missing + again;
      for (let count = 0; count < more; count++) if (arrives()) missing--;
      sent += more;
      if (missing > 0) lost++;
    }
    const bound = packetsForLoss(policies, lost / frames);
    // Five standard deviations of the packets sent, which dominate.
    if (bound !== undefined) expect(sent / frames).toBeGreaterThan(bound - 0.01);
  }
});

test('the hull is convex and falls', () => {
  const policies = framePolicies({ loss: 0.2, packets: 5, rounds: 2 });
  expect(policies.length).toBeGreaterThan(10);
  let slope = 0;
  for (let index = 1; index < policies.length; index++) {
    const [before, after] = [policies[index - 1]!, policies[index]!];
    const price = (after.sent - before.sent) / (before.lost - after.lost);
    expect(price).toBeGreaterThan(slope);
    slope = price;
  }
});

test('an answer at the deadline itself is too late', () => {
  const path = { oneWay: milliseconds(20), roundTrip: milliseconds(40) };
  expect(feedbackRounds({ ...path, budget: milliseconds(140) })).toBe(2);
  expect(feedbackRounds({ ...path, budget: milliseconds(141) })).toBe(3);
  expect(feedbackRounds({ ...path, budget: milliseconds(10) })).toBe(0);
  expect(repairSlots({ oneWay: milliseconds(50), budget: milliseconds(150), frameInterval: milliseconds(33) })).toBe(4);
});

test.each([
  ['loss=5% delay=20ms', true],
  ['loss=5% burst=3 delay=20ms', false],
  ['loss=5% jitter=1ms', false],
  ['rate=2mbit', false],
  ['duplicate=1%', false],
])('%s: bounds apply: %s', (text, applies) => {
  const link = parseLinkSpecification(text);
  expect(link.ok && isMemoryless(link.value)).toBe(applies);
});
