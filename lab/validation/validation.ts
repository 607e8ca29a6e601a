import { RandomStream } from '../../sim/random.ts';
import type { Check } from './check.ts';
import { binomialTail } from './closed-forms/block-code.ts';
import { type Estimate, STANDARD_ERRORS_MAX } from './estimate.ts';

/** Verdict of a check. `not run`: it would need too many trials. */
export type CheckVerdict = 'agrees' | 'outside' | 'disagrees' | 'form only' | 'not run';

export interface CheckOutcome {
  readonly check: Check;
  /** `undefined` when it was not simulated. */
  readonly estimate: Estimate | undefined;
  readonly verdict: CheckVerdict;
}

/** Budget of a validation: maximum cost per check in draws, and number of rare events to wait for. */
export interface Effort {
  readonly name: 'full' | 'quick';
  readonly costMax: number;
  readonly eventsMax: number;
  readonly trialsMin: number;
}

export const FULL_EFFORT: Effort = {
  name: 'full',
  costMax: 2.5e8,
  eventsMax: Number.POSITIVE_INFINITY,
  trialsMin: 20_000,
};
/** About ten seconds on two cores. */
export const QUICK_EFFORT: Effort = { name: 'quick', costMax: 6.1e6, eventsMax: 50, trialsMin: 2_000 };

/**
 * Trials of at least this cost, such as those of our sender and receiver, are reduced in a short run; a draw costs 1.
 */
const EXPENSIVE_TRIAL = 100;

/** Number of trials of a check; `undefined` when it is too expensive. */
export function trialsWithin(check: Check, effort: Effort): number | undefined {
  const { agreement, predicted, trials, trialCost, simulate } = check;
  if (!simulate) return undefined;
  const enough = Math.max(effort.trialsMin, Math.ceil(effort.eventsMax / predicted));
  const rareAndExpensive = agreement.kind === 'interval' && predicted < 1 && trialCost >= EXPENSIVE_TRIAL;
  const given = rareAndExpensive ? Math.min(trials, enough) : trials;
  return given * trialCost > effort.costMax ? undefined : given;
}

/** Runs a check with a seed of its own, so that checks are independent. */
export function runCheck(check: Check, seed: number, effort: Effort): Estimate | undefined {
  const trials = trialsWithin(check, effort);
  if (trials === undefined) return undefined;
  // Seeds of links are integers below 2^31.
  const own = new RandomStream(seed, check.id).uint32(0) >>> 1;
  return check.simulate!(own, trials);
}

export function judge(check: Check, estimate: Estimate | undefined): CheckOutcome {
  return { check, estimate, verdict: verdictOf(check, estimate) };
}

/** Beyond this many standard errors, a deviation cannot be due to chance. */
export const STANDARD_ERRORS_NEVER = 4;

function verdictOf({ agreement, predicted, simulate }: Check, measured: Estimate | undefined): CheckVerdict {
  if (!simulate) return 'form only';
  if (!measured) return 'not run';
  const { estimate, standardError } = measured;
  const off = Math.abs(estimate - predicted);
  switch (agreement.kind) {
    case 'interval':
      if (off <= STANDARD_ERRORS_MAX * standardError) return 'agrees';
      return off <= STANDARD_ERRORS_NEVER * standardError ? 'outside' : 'disagrees';
    case 'within':
      return off <= agreement.share * predicted ? 'agrees' : 'disagrees';
    case 'equal':
      return off <= ROUNDING_ERROR * Math.max(1, Math.abs(predicted)) ? 'agrees' : 'disagrees';
    case 'at-most':
      return estimate <= predicted ? 'agrees' : 'disagrees';
    default:
      return agreement satisfies never;
  }
}

/** Equal up to rounding of sums. */
const ROUNDING_ERROR = 1e-9;

/** Fraction of correct runs outside a 99 % interval. */
const OUTSIDE_SHARE = 0.01;
/** Accepted probability that correct code has more misses than allowed. */
const EXCESS_PROBABILITY = 0.001;

/** Maximum number of 99 % intervals that may miss; correct code exceeds it once in a thousand runs. */
export function outsideAllowed(intervals: number): number {
  let allowed = 0;
  while (binomialTail(intervals, OUTSIDE_SHARE, allowed + 1) > EXCESS_PROBABILITY) allowed++;
  return allowed;
}

export interface Validation {
  readonly passed: boolean;
  readonly agree: number;
  /** Number of checks with an interval. */
  readonly intervals: number;
  readonly outside: number;
  readonly outsideAllowed: number;
  readonly disagree: number;
  readonly formOnly: number;
  readonly notRun: number;
}

/** Evaluates all checks: at most as many misses as chance explains, and no disagreement. */
export function validate(outcomes: readonly CheckOutcome[]): Validation {
  const count = (verdict: CheckVerdict) => outcomes.filter((outcome) => outcome.verdict === verdict).length;
  const intervals = outcomes.filter(({ check, estimate }) => estimate && check.agreement.kind === 'interval').length;
  const [outside, disagree] = [count('outside'), count('disagrees')];
  const allowed = outsideAllowed(intervals);
  return {
    passed: disagree === 0 && outside <= allowed,
    agree: count('agrees'),
    intervals,
    outside,
    outsideAllowed: allowed,
    disagree,
    formOnly: count('form only'),
    notRun: count('not run'),
  };
}
