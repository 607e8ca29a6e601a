import { describe, expect, test } from 'vitest';
import { AT_MOST, type Check, check, EQUAL, INTERVAL } from '../../../lab/validation/check.ts';
import { CHECKS } from '../../../lab/validation/checks.ts';
import { correlatedShare } from '../../../lab/validation/closed-forms/netem-correlation.ts';
import { meanInOrderWait, meanWait } from '../../../lab/validation/closed-forms/waiting.ts';
import { runChecks } from '../../../lab/validation/run-checks.ts';
import {
  FULL,
  judge,
  outsideAllowed,
  QUICK,
  runCheck,
  trialsWithin,
  validate,
} from '../../../lab/validation/validation.ts';
import { conclusionText, validationMarkdown, validationText } from '../../../lab/validation/validation-table.ts';

const SEED = 1;
/** The link's own are run by checks.test.ts. */
const OURS = CHECKS.filter(({ group }) => group !== 'closed forms' && group !== 'link');

/** A check of a made-up thing. */
const made = (rest: Partial<Check>): Check =>
  check(
    'link',
    'made',
    {},
    { predicted: 0.1, trials: 1, simulate: () => ({ estimate: 0, standardError: 0 }), ...rest },
  );

const measured = (estimate: number, standardError = 0) => ({ estimate, standardError });

describe('what we simulate', () => {
  const short = OURS.filter((each) => trialsWithin(each, QUICK) !== undefined);

  test('most of the checks are short enough for a test, and each group has some', () => {
    expect(short.length).toBeGreaterThan(0.7 * OURS.length);
    expect(new Set(short.map(({ group }) => group))).toEqual(new Set(OURS.map(({ group }) => group)));
  });

  test.each(short)(
    '$id',
    (each) => {
      const outcome = judge(each, runCheck(each, SEED, QUICK));
      expect(['agrees', 'outside'], `${outcome.estimate?.estimate} for ${each.predicted}`).toContain(outcome.verdict);
      // An interval that holds anything would agree with everything.
      if (each.agreement.kind === 'interval') {
        expect(outcome.estimate!.standardError).toBeLessThan(0.3 * each.predicted);
      }
    },
    60_000,
  );
});

describe('verdicts', () => {
  test.each([
    [INTERVAL, measured(0.1 + 2.5 * 0.01, 0.01), 'agrees'],
    [INTERVAL, measured(0.1 + 3 * 0.01, 0.01), 'outside'],
    [INTERVAL, measured(0.1 - 4.1 * 0.01, 0.01), 'disagrees'],
    [{ kind: 'within', share: 0.15 } as const, measured(0.114), 'agrees'],
    [{ kind: 'within', share: 0.15 } as const, measured(0.116), 'disagrees'],
    [EQUAL, measured(0.1), 'agrees'],
    [EQUAL, measured(0.1001), 'disagrees'],
    [AT_MOST, measured(0.02), 'agrees'],
    [AT_MOST, measured(0.11), 'disagrees'],
    [INTERVAL, undefined, 'not run'],
  ] as const)('%o with %o %s', (agreement, estimate, verdict) => {
    expect(judge(made({ agreement }), estimate).verdict).toBe(verdict);
  });

  test('as many may be outside as chance explains: of 100 intervals five, of none none', () => {
    expect([0, 1, 100, 1_000].map(outsideAllowed)).toEqual([0, 1, 5, 21]);
  });

  test('one more than that fails, and so does a single one that is far off', () => {
    const outcomes = (outside: number) =>
      Array.from({ length: 100 }, (_, n) => judge(made({}), measured(n < outside ? 0.13 : 0.1, 0.01)));
    expect(validate(outcomes(5)).passed).toBe(true);
    expect(validate(outcomes(6)).passed).toBe(false);
    expect(validate([...outcomes(0), judge(made({}), measured(0.15, 0.01))]).passed).toBe(false);
  });

  test('a sender that loses one more of ten is found out', () => {
    const residual = CHECKS.find(({ id }) => id === 'nack_residual p=0.1 n=1')!;
    const wrong = { ...residual, predicted: 2 * residual.predicted };
    expect(judge(wrong, runCheck(residual, SEED, QUICK)).verdict).toBe('disagrees');
  });
});

test('the tables name each check, what was predicted and what came of it', () => {
  const outcomes = [
    judge(
      check('tcp', 'a_ms', { R: 5 }, { predicted: 50, agreement: EQUAL, trials: 1, simulate: () => measured(50) }),
      measured(50),
    ),
    judge(made({}), measured(0.1003, 0.001)),
    judge(made({ simulate: undefined }), undefined),
  ];
  expect(validationText(outcomes).split('\n')).toHaveLength(4);
  expect(validationMarkdown(outcomes)).toContain('| a_ms | R=5 | 50 | 50 | equal | agrees |');
  expect(validationMarkdown(outcomes)).toContain('| made |  | 0.1 | 0.1003 | 0.09772 … 0.1029 | agrees |');
  expect(conclusionText(validate(outcomes))).toMatch(/^agrees: 2 of 2 checks agree; 0 of 1 99 % intervals miss/);
});

test('checks that are ended give no outcome', async () => {
  const abort = new AbortController();
  const running = runChecks({ seed: SEED, effort: FULL }, { jobs: 1, signal: abort.signal, onProgress: () => {} });
  abort.abort();
  expect(await running).toBeUndefined();
});

describe('closed forms of ours', () => {
  // loss-lab.md §1.2, Monte-Carlo: to half of the last digit.
  test.each([
    [0.05, 0.25, 0.0019, 5e-5],
    [0.1, 0.25, 0.0175, 5e-5],
    [0.2, 0.5, 0.0296, 3e-4],
    [0.2, 0.75, 0.0011, 1e-4],
    [0.3, 0, 0.3, 0],
  ])('of a loss of %s that is correlated by %s netem loses %s', (asked, correlation, share, tolerance) => {
    expect(Math.abs(correlatedShare(asked, correlation) - share)).toBeLessThanOrEqual(tolerance);
  });

  test('where repetitions are never lost the wait in order is the simple one, less a lost packet’s own', () => {
    const [loss, spacing, repairTime] = [0.001, 2.4, 100];
    const exact = meanInOrderWait({ loss, spacing, firstRepair: repairTime, repeat: 1e-9 });
    const simple = meanWait({ loss, repairTime, spacing }) - loss * repairTime;
    expect(Math.abs(exact / simple - 1)).toBeLessThan(0.01);
  });
});
