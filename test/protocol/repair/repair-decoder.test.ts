import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fillCodingCoefficients } from '../../../protocol/repair/coding-coefficients.ts';
import type { RecoveredPacket } from '../../../protocol/repair/repair-decoder.ts';
import { asSequence } from '../../../protocol/rtp/sequence.ts';
import { RandomStream } from '../../../sim/random.ts';
import { uint } from '../bytes.ts';
import { decoderOf, encoderOver, packetOf, type Repair, rangeOf, recovered, repairOf } from './repair-stream.ts';
import { slowSolve } from './slow-linear-algebra.ts';

describe.each([0, 1, 32_767, 32_768, 65_535])('around sequence number %i', (start) => {
  const WINDOW = 12;
  const first = start - 6;
  const encoder = encoderOver(asSequence(first), WINDOW);
  const window = { firstSequence: asSequence(first), lastSequence: asSequence(first + WINDOW - 1) };

  test.each([{ widest: WINDOW }, { widest: 40 }])(
    'one repair packet recovers any single loss, for windows up to $widest',
    ({ widest }) => {
      for (const lost of rangeOf(asSequence(first), WINDOW)) {
        const decoder = decoderOf({ windowPackets: widest });
        for (const sequence of rangeOf(asSequence(first), WINDOW)) {
          if (sequence !== lost) expect(decoder.handleSource(sequence, packetOf(sequence))).toEqual([]);
        }
        const { firstSequence, payload } = repairOf(encoder, { ...window, repairKey: lost & 0xffff });
        expect(decoder.handleRepair(firstSequence, payload)).toEqual([recovered(lost)]);
        expect(decoder.counts).toMatchObject({ recovered: 1, redundant: 0, unusable: 0, inconsistent: 0 });
        expect(decoder.waiting).toBe(0);
      }
    },
  );

  test('a burst is recovered by the last of as many repair packets', () => {
    const decoder = decoderOf();
    const lost = rangeOf(asSequence(first + 3), 5);
    for (const sequence of rangeOf(asSequence(first), WINDOW)) {
      if (!lost.includes(sequence)) decoder.handleSource(sequence, packetOf(sequence));
    }
    const results = [11, 12, 13, 14, 15].map((repairKey) => {
      const { firstSequence, payload } = repairOf(encoder, { ...window, repairKey });
      return decoder.handleRepair(firstSequence, payload);
    });
    expect(results).toEqual([[], [], [], [], lost.map(recovered)]);
  });
});

test('an early repair packet is used once a packet leaves it one unknown', () => {
  const encoder = encoderOver(asSequence(0), 6);
  const decoder = decoderOf();
  const { firstSequence, payload } = repairOf(encoder, {
    firstSequence: asSequence(1),
    lastSequence: asSequence(5),
    repairKey: 9,
  });
  decoder.handleSource(asSequence(0), packetOf(asSequence(0)));
  expect(decoder.handleRepair(firstSequence, payload)).toEqual([]);
  expect(
    [5, 1, 4].flatMap((sequence) => decoder.handleSource(asSequence(sequence), packetOf(asSequence(sequence)))),
  ).toEqual([]);
  expect(decoder.handleSource(asSequence(2), packetOf(asSequence(2)))).toEqual([recovered(asSequence(3))]);
});

test('a retransmission after two repair packets lets them recover the two other losses', () => {
  const encoder = encoderOver(asSequence(0), 8);
  const decoder = decoderOf();
  for (const sequence of [0, 1, 3, 5, 7]) decoder.handleSource(asSequence(sequence), packetOf(asSequence(sequence)));
  for (const repairKey of [1, 2]) {
    const { firstSequence, payload } = repairOf(encoder, {
      firstSequence: asSequence(1),
      lastSequence: asSequence(7),
      repairKey,
    });
    expect(decoder.handleRepair(firstSequence, payload)).toEqual([]);
  }
  // The oldest unknown, and so the pivot of an equation, which needs another pivot afterwards.
  expect(decoder.handleSource(asSequence(2), packetOf(asSequence(2)))).toEqual([
    recovered(asSequence(4)),
    recovered(asSequence(6)),
  ]);
});

test('a repair packet over a complete window, and a duplicate, are redundant', () => {
  const encoder = encoderOver(asSequence(0), 4);
  const decoder = decoderOf();
  const { firstSequence, payload } = repairOf(encoder, {
    firstSequence: asSequence(0),
    lastSequence: asSequence(3),
    repairKey: 5,
  });
  for (const sequence of [0, 3]) decoder.handleSource(asSequence(sequence), packetOf(asSequence(sequence)));
  expect(decoder.handleRepair(firstSequence, payload)).toEqual([]);
  expect(decoder.handleRepair(firstSequence, payload)).toEqual([]);
  expect(decoder.counts.redundant).toBe(1);
  expect(decoder.handleSource(asSequence(1), packetOf(asSequence(1)))).toEqual([recovered(asSequence(2))]);
  expect(decoder.handleRepair(firstSequence, payload)).toEqual([]);
  expect(decoder.counts.redundant).toBe(2);
});

test('a recovered packet is kept and used for later recoveries', () => {
  const encoder = encoderOver(asSequence(0), 8);
  const decoder = decoderOf();
  for (const sequence of [0, 1, 3, 4, 6, 7]) decoder.handleSource(asSequence(sequence), packetOf(asSequence(sequence)));
  const early = repairOf(encoder, { firstSequence: asSequence(0), lastSequence: asSequence(4), repairKey: 1 });
  const late = repairOf(encoder, { firstSequence: asSequence(1), lastSequence: asSequence(7), repairKey: 2 });
  expect(decoder.handleRepair(late.firstSequence, late.payload)).toEqual([]);
  expect(decoder.handleRepair(early.firstSequence, early.payload)).toEqual([
    recovered(asSequence(2)),
    recovered(asSequence(5)),
  ]);
});

test('a late original of a recovered packet yields nothing and changes nothing', () => {
  const encoder = encoderOver(asSequence(0), 3);
  const decoder = decoderOf();
  for (const sequence of [0, 2]) decoder.handleSource(asSequence(sequence), packetOf(asSequence(sequence)));
  const { firstSequence, payload } = repairOf(encoder, {
    firstSequence: asSequence(0),
    lastSequence: asSequence(2),
    repairKey: 3,
  });
  expect(decoder.handleRepair(firstSequence, payload)).toEqual([recovered(asSequence(1))]);
  expect(decoder.handleSource(asSequence(1), packetOf(asSequence(1)))).toEqual([]);
  expect(decoder.counts).toEqual({ recovered: 1, redundant: 0, unusable: 0, inconsistent: 0, evicted: 0 });
});

/** Windows at different places and of different widths, one of them sparse. */
const SMALL_WINDOWS = [
  { firstSequence: asSequence(1), lastSequence: asSequence(6), repairKey: 1 },
  { firstSequence: asSequence(1), lastSequence: asSequence(4), repairKey: 2 },
  { firstSequence: asSequence(2), lastSequence: asSequence(5), repairKey: 3 },
  { firstSequence: asSequence(3), lastSequence: asSequence(6), repairKey: 4, density: 7 },
];

test('recovers what an oracle recovers, from any subset of six packets and four repair packets', () => {
  const encoder = encoderOver(asSequence(0), 7);
  const repairs = SMALL_WINDOWS.map((request) => repairOf(encoder, request));
  for (let came = 0; came < 2 ** 10; came++) {
    const isHere = (place: number): boolean => ((came >> place) & 1) === 1;
    const sources = rangeOf(asSequence(1), 6).filter((_, index) => isHere(index));
    const used = repairs.filter((_, index) => isHere(6 + index));

    const decoder = decoderOf();
    decoder.handleSource(asSequence(0), packetOf(asSequence(0)));
    const results = [
      ...used.flatMap(({ firstSequence, payload }) => decoder.handleRepair(firstSequence, payload)),
      ...sources.flatMap((sequence) => decoder.handleSource(sequence, packetOf(sequence))),
    ];

    const equations = [
      ...rangeOf(asSequence(0), 1)
        .concat(sources)
        .map((sequence) => ({
          coefficients: rangeOf(asSequence(0), 7).map((other) => (other === sequence ? 1 : 0)),
          bytes: slowBytes(packetOf(sequence)),
        })),
      ...used.map((repair) => ({
        coefficients: slowCoefficients(repair, 0, 7),
        bytes: padded([...repair.payload.symbol]),
      })),
    ];
    const determined = slowSolve(equations, 7);
    const expected = [...determined].filter(([sequence]) => sequence !== 0 && !sources.includes(asSequence(sequence)));
    // Compared in both directions and bytewise: the oracle solves independently.
    const bytesOf = ({ sequence, packet }: RecoveredPacket): [number, number[]] => [sequence, slowBytes(packet)];
    const bySequence = (left: [number, number[]], right: [number, number[]]): number => left[0] - right[0];
    expect(
      results
        .filter(({ sequence }) => !sources.includes(sequence))
        .map(bytesOf)
        .sort(bySequence),
    ).toEqual(expected.sort(bySequence));
  }
});

/** The symbols of `repair-stream.ts` are at most 63 bytes long. */
const padded = (bytes: number[]): number[] => [...bytes, ...new Array<number>(63 - bytes.length).fill(0)];
const slowBytes = (packet: Uint8Array): number[] => padded([0, packet.length, ...packet]);

function slowCoefficients({ firstSequence, payload }: Repair, from: number, count: number): number[] {
  const coefficients = new Uint8Array(payload.windowPackets);
  fillCodingCoefficients(coefficients, payload);
  return rangeOf(asSequence(from), count).map((sequence) => coefficients[sequence - firstSequence] ?? 0);
}

test('returns each lost packet once and correct, whatever the order and the duplicates', () => {
  const FIRST = 65_530;
  const encoder = encoderOver(asSequence(FIRST), 13);
  const window = fc.record({
    from: fc.nat({ max: 11 }),
    to: fc.nat({ max: 11 }),
    repairKey: uint(16),
    density: fc.constantFrom(3, 15, 15),
  });
  const lost = fc.uniqueArray(fc.nat({ max: 11 }), { maxLength: 6 });
  const story = fc.tuple(fc.array(window, { maxLength: 8 }), lost).chain(([windows, lost]) => {
    const sources = rangeOf(asSequence(0), 12).filter((index) => !lost.includes(index));
    const events = [...sources.map((index) => ({ index })), ...windows];
    const again = fc.shuffledSubarray(events);
    return again.chain((again) => {
      const all = [...events, ...again];
      return fc.tuple(fc.shuffledSubarray(all, { minLength: all.length }), fc.constant(new Set(lost)));
    });
  });
  fc.assert(
    fc.property(story, ([events, lost]) => {
      const decoder = decoderOf();
      const handedOut = new Map<number, Uint8Array>();
      const take = (packets: readonly RecoveredPacket[]): void => {
        for (const { sequence, packet } of packets) {
          expect(handedOut.has(sequence)).toBe(false);
          handedOut.set(sequence, packet);
        }
      };
      const repairs: Repair[] = [];
      const sequenceOf = (index: number): number => FIRST + 1 + index;
      decoder.handleSource(asSequence(FIRST), packetOf(asSequence(FIRST)));
      for (const event of events) {
        if ('index' in event) {
          take(
            decoder.handleSource(asSequence(sequenceOf(event.index)), packetOf(asSequence(sequenceOf(event.index)))),
          );
          continue;
        }
        const { from, to, repairKey, density } = event;
        const repair = repairOf(encoder, {
          firstSequence: asSequence(sequenceOf(Math.min(from, to))),
          lastSequence: asSequence(sequenceOf(Math.max(from, to))),
          repairKey,
          density,
        });
        repairs.push(repair);
        take(decoder.handleRepair(repair.firstSequence, repair.payload));
      }
      for (const [sequence, packet] of handedOut) expect(packet).toEqual(packetOf(asSequence(sequence)));

      const known = rangeOf(asSequence(0), 12).filter((index) => !lost.has(index));
      const determined = slowSolve(
        [
          ...known.map((index) => ({
            coefficients: rangeOf(asSequence(0), 12).map((other) => +(other === index)),
            bytes: [],
          })),
          ...repairs.map((repair) => ({ coefficients: slowCoefficients(repair, FIRST + 1, 12), bytes: [] })),
        ],
        12,
      );
      const mendable = [...lost].filter((index) => determined.has(index)).map(sequenceOf);
      expect([...handedOut.keys()]).toEqual(expect.arrayContaining(mendable));
      expect([...handedOut.keys()].filter((sequence) => lost.has(sequence - FIRST - 1)).length).toBe(mendable.length);
      expect(decoder.counts).toMatchObject({ inconsistent: 0, unusable: 0, evicted: 0 });
    }),
  );
});

/**
 * Probability that a square matrix of random nonzero values is singular: exactly 1/255 for two by two. For three by
 * three, scaling rows and columns makes the first of each one; the determinant of the remaining four values, none of
 * which is one, is zero in 16,581,883 of 255^4 cases, 1/254.996. Larger matrices stay within a thousandth of 1/255.
 */
const SINGULAR = 1 / 255;

test.each([
  { losses: 2, seed: 1 },
  { losses: 3, seed: 2 },
  { losses: 5, seed: 3 },
  { losses: 8, seed: 4 },
])(
  '$losses repair packets mend $losses losses but for one case in 255, within three standard errors',
  ({ losses, seed }) => {
    const BLOCK = 12;
    const TRIALS = 4_000;
    const random = new RandomStream(seed, 'repair');
    let draws = 0;
    let failures = 0;
    const decoder = decoderOf({ windowPackets: BLOCK, equationsMax: BLOCK });
    const encoder = encoderOver(asSequence(0), BLOCK);
    for (let trial = 0; trial < TRIALS; trial++) {
      const first = trial * BLOCK;
      const block = rangeOf(asSequence(first), BLOCK);
      if (trial > 0) for (const sequence of block) encoder.add(sequence, packetOf(sequence));
      const lost = new Set<number>();
      while (lost.size < losses) lost.add(first + random.below(draws++, BLOCK));
      const here = block.filter((sequence) => !lost.has(sequence));
      // The window must exist before the first repair packet: only media packets move it.
      for (const sequence of here) decoder.handleSource(sequence, packetOf(sequence));
      decoder.forgetThrough(asSequence(first - 1));
      let mended = 0;
      for (let count = 0; count < losses; count++) {
        const repairKey = random.below(draws++, 65_536);
        const repair = repairOf(encoder, {
          firstSequence: asSequence(first),
          lastSequence: asSequence(first + BLOCK - 1),
          repairKey,
        });
        mended += decoder.handleRepair(repair.firstSequence, repair.payload).length;
      }
      if (mended < losses) failures++;
    }
    expect(decoder.counts).toMatchObject({ inconsistent: 0, unusable: 0, evicted: 0 });
    expect(Math.abs(failures / TRIALS - SINGULAR)).toBeLessThanOrEqual(
      3 * Math.sqrt((SINGULAR * (1 - SINGULAR)) / TRIALS),
    );
  },
);
