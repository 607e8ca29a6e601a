import { hrtime } from 'node:process';
import { equalSecrets } from '../io/crypto/secret-token.ts';
import { equalBytes } from '../protocol/base/equal-bytes.ts';
import { utf8Bytes } from '../protocol/base/text-codec.ts';
import type { BenchPart } from './part.ts';
import { median, textTable } from './table.ts';

/** Calls timed at once, of which there are some hundred thousand a second. */
const CALLS = 200;
const ROUNDS = 4_000;
const WARM_UP_ROUNDS = 200;
/** Key of a session, which an attacker tries to guess digit by digit. */
const KEY = '3f9a07c1e5b24d68a1f0937bd2c46e58';
/** Standard normal quantile of a 95 % interval. */
const Z = 1.96;

const withDigit = (at: number): string => `${KEY.slice(0, at)}${KEY[at] === '0' ? '1' : '0'}${KEY.slice(at + 1)}`;

const GUESSES = [
  { name: 'wrong in the first digit', text: withDigit(0) },
  { name: 'wrong in the last digit', text: withDigit(KEY.length - 1) },
  { name: 'right', text: KEY },
] as const;

type Compare = (guess: string) => boolean;

/** Whether the time of a comparison tells how much of a secret was guessed, beside a loop that stops at a difference. */
export const secrets: BenchPart = async ({ quick }) => {
  const own = utf8Bytes(KEY);
  const guesses = new Map(GUESSES.map(({ text }) => [text, utf8Bytes(text)]));
  const ways: Readonly<Record<string, Compare>> = {
    equalSecrets: (guess) => equalSecrets(guess, KEY),
    'a loop that stops (control)': (guess) => equalBytes(guesses.get(guess)!, own),
  };
  const rounds = quick ? ROUNDS / 20 : ROUNDS;
  const figures = Object.entries(ways).map(([way, compare]) => ({ way, ...measured(compare, rounds) }));
  const rows = figures.flatMap(({ way, medians, differences }) =>
    GUESSES.map(({ name }, index) => {
      const difference = differences[index]!;
      const beside = index === 0 ? '' : `${difference.median.toFixed(2)} ± ${difference.margin.toFixed(2)}`;
      return [`${way}: ${name}`, medians[index]!.toFixed(1), beside];
    }),
  );
  const text = [
    `${(rounds * CALLS).toLocaleString('en')} comparisons of each kind with a key of 32 digits, in turns of ${CALLS}: medians, and the`,
    'median of the differences to the first kind, with its 95 % interval, ns.',
    '',
    textTable(['guess', 'ns', 'beside the first kind'], rows),
  ].join('\n');
  return { text, figures };
};

function measured(compare: Compare, rounds: number) {
  const times: number[][] = GUESSES.map(() => []);
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    // The order changes, so that no kind always follows the same other one.
    for (let turn = 0; turn < GUESSES.length; turn++) {
      const which = (turn + Math.abs(round)) % GUESSES.length;
      const { text } = GUESSES[which]!;
      const from = hrtime.bigint();
      for (let call = 0; call < CALLS; call++) compare(text);
      if (round >= 0) times[which]!.push(Number(hrtime.bigint() - from) / CALLS);
    }
  }
  const differences = times.map((own) => withMargin(own.map((time, round) => time - times[0]![round]!)));
  return { medians: times.map(median), differences };
}

/** The median, and half the width of its interval by order statistics. */
function withMargin(values: readonly number[]): { readonly median: number; readonly margin: number } {
  const sorted = values.toSorted((a, b) => a - b);
  const reach = (Z * Math.sqrt(sorted.length)) / 2;
  const at = (index: number) => sorted[Math.max(0, Math.min(sorted.length - 1, Math.round(index)))]!;
  const middle = (sorted.length - 1) / 2;
  return { median: median(sorted), margin: (at(middle + reach) - at(middle - reach)) / 2 };
}
