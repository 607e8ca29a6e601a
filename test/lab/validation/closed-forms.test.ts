import { describe, expect, test } from 'vitest';
import { AT_MOST, type Check, check, EQUAL, INTERVAL } from '../../../lab/validation/check.ts';
import { CHECKS } from '../../../lab/validation/checks.ts';
import { correlatedShare } from '../../../lab/validation/closed-forms/netem-correlation.ts';
import { meanInOrderWait, meanWait } from '../../../lab/validation/closed-forms/waiting.ts';
import { runChecks } from '../../../lab/validation/run-checks.ts';
import {
  FULL_EFFORT,
  judge,
  outsideAllowed,
  QUICK_EFFORT,
  runCheck,
  trialsWithin,
  validate,
} from '../../../lab/validation/validation.ts';
import { validationConclusion, validationMarkdown, validationText } from '../../../lab/validation/validation-table.ts';

const SEED = 1;
/** Checks of the link are in checks.test.ts. */
const OURS = CHECKS.filter(({ group }) => group !== 'closed forms' && group !== 'link');

/** A check with arbitrary values. */
const made = (rest: Partial<Check>): Check =>
  check(
    'link',
    'made',
    {},
    { predicted: 0.1, trials: 1, simulate: () => ({ estimate: 0, standardError: 0 }), ...rest },
  );

const measured = (estimate: number, standardError = 0) => ({ estimate, standardError });

describe('simulated checks', () => {
  const short = OURS.filter((each) => trialsWithin(each, QUICK_EFFORT) !== undefined);

  test('most checks are short enough for a test, in each group', () => {
    expect(short.length).toBeGreaterThan(0.7 * OURS.length);
    expect(new Set(short.map(({ group }) => group))).toEqual(new Set(OURS.map(({ group }) => group)));
  });

  test.each(short)('$id', (each) => {
    const outcome = judge(each, runCheck(each, SEED, QUICK_EFFORT));
    expect(['agrees', 'outside'], `${outcome.estimate?.estimate} for ${each.predicted}`).toContain(outcome.verdict);
    // Guards against intervals so wide that anything would agree.
    if (each.agreement.kind === 'interval') {
      expect(outcome.estimate!.standardError).toBeLessThan(0.3 * each.predicted);
    }
  });
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

  test('chance explains five of 100 intervals outside, and none of none', () => {
    expect([0, 1, 100, 1_000].map(outsideAllowed)).toEqual([0, 1, 5, 21]);
  });

  test('fails with one more outside, or a single large deviation', () => {
    const outcomes = (outside: number) =>
      Array.from({ length: 100 }, (_, n) => judge(made({}), measured(n < outside ? 0.13 : 0.1, 0.01)));
    expect(validate(outcomes(5)).passed).toBe(true);
    expect(validate(outcomes(6)).passed).toBe(false);
    expect(validate([...outcomes(0), judge(made({}), measured(0.15, 0.01))]).passed).toBe(false);
  });

  test('detects a doubled residual loss of the sender', () => {
    const residual = CHECKS.find(({ id }) => id === 'nack_residual p=0.1 n=1')!;
    const wrong = { ...residual, predicted: 2 * residual.predicted };
    expect(judge(wrong, runCheck(residual, SEED, QUICK_EFFORT)).verdict).toBe('disagrees');
  });
});

test('the tables have name, prediction and result of each check', () => {
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
  expect(validationConclusion(validate(outcomes))).toMatch(/^agrees: 2 of 2 checks agree; 0 of 1 99 % intervals miss/);
});

test('interrupted checks give no outcome', async () => {
  const abort = new AbortController();
  const running = runChecks(
    { seed: SEED, effort: FULL_EFFORT },
    { jobs: 1, signal: abort.signal, onProgress: () => {} },
  );
  abort.abort();
  expect(await running).toBeUndefined();
});

describe('our closed forms', () => {
  // Monte Carlo values of loss-lab.md §1.2, within half of the last digit.
  test.each([
    [0.05, 0.25, 0.0019, 5e-5],
    [0.1, 0.25, 0.0175, 5e-5],
    [0.2, 0.5, 0.0296, 3e-4],
    [0.2, 0.75, 0.0011, 1e-4],
    [0.3, 0, 0.3, 0],
  ])('netem with loss %s and correlation %s actually loses %s', (loss, correlation, share, tolerance) => {
    expect(Math.abs(correlatedShare(loss, correlation) - share)).toBeLessThanOrEqual(tolerance);
  });

  test('without lost retransmissions, the in-order wait equals the simple formula minus the lost packet’s own delay', () => {
    const [loss, spacing, repairTime] = [0.001, 2.4, 100];
    const exact = meanInOrderWait({ loss, spacing, firstRepair: repairTime, repeat: 1e-9 });
    const simple = meanWait({ loss, repairTime, spacing }) - loss * repairTime;
    expect(Math.abs(exact / simple - 1)).toBeLessThan(0.01);
  });
});
