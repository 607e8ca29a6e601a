import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Campaign, failureOf, minimize } from '../../fuzz/campaign.ts';
import { readCorpus, readKeptFindings } from '../../fuzz/corpus.ts';
import { type FuzzInput, inputBytes, parseInput, serializeInput } from '../../fuzz/fuzz-input.ts';
import type { FuzzTarget } from '../../fuzz/fuzz-target.ts';
import { FUZZ_TARGETS } from '../../fuzz/fuzz-targets.ts';
import { mutateBytes } from '../../fuzz/mutate-bytes.ts';

const INPUTS = 40;

describe.each(FUZZ_TARGETS)('target $name', (target) => {
  test('holds its properties on real sessions, on the corpus and on the first mutations of them', async () => {
    const corpus = readCorpus(target.name);
    const { campaign, findings } = await Campaign.open(target, { seed: 1, corpus });
    for (let inputs = 0; inputs < INPUTS; inputs++) {
      const finding = await campaign.step();
      expect(finding).toBeUndefined();
    }
    expect(findings).toEqual([]);
    expect(campaign.featureCount).toBeGreaterThan(1);
  });
});

test.each(readKeptFindings())('$file no longer fails', async ({ target: name, input }) => {
  const target = FUZZ_TARGETS.find((each) => each.name === name);
  expect(target).toBeDefined();
  expect(await failureOf(target!, input)).toBeUndefined();
});

/** Fails on an input with a certain byte in two steps; an input that comes half the way shows it. */
const planted: FuzzTarget = {
  name: 'planted',
  seeds: () => [{ choices: 0, steps: Array.from({ length: 20 }, () => ({ pause: 0, bytes: new Uint8Array(50) })) }],
  mutate: mutateBytes,
  run: ({ steps }, observed) => {
    const guilty = steps.filter(({ bytes }) => bytes.includes(0x80)).length;
    observed.count('guilty', guilty);
    if (guilty >= 2) throw new Error(`planted in ${guilty} steps`);
  },
};

async function findPlanted(seed: number) {
  const { campaign } = await Campaign.open(planted, { seed, corpus: [] });
  for (let inputs = 0; inputs < 50_000; inputs++) {
    const finding = await campaign.step();
    if (finding) return { finding, inputs: campaign.inputs };
  }
  throw new Error('not found');
}

test('finds a planted fault, and reduces its input to the bytes that matter', async () => {
  const { finding } = await findPlanted(7);
  const { steps } = await minimize(planted, finding);
  expect(steps.map(({ bytes }) => [...bytes])).toEqual([[0x80], [0x80]]);
});

test('the same seed runs the same inputs', async () => {
  const [first, second] = [await findPlanted(3), await findPlanted(3)];
  expect(first).toEqual(second);
});

test('an input is read as it was written', () => {
  const step = fc.record({ pause: fc.nat(), bytes: fc.uint8Array({ maxLength: 30 }) });
  const input: fc.Arbitrary<FuzzInput> = fc.record({ choices: fc.nat(), steps: fc.array(step, { maxLength: 5 }) });
  fc.assert(
    fc.property(input, (value) => {
      const bytes = serializeInput(value);
      expect(bytes.length).toBe(inputBytes(value));
      expect(parseInput(bytes)).toEqual(value);
    }),
  );
});
