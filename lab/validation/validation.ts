import { RandomStream } from '../../sim/random.ts';
import type { Check } from './check.ts';
import { binomialTail } from './closed-forms/block-code.ts';
import { type Estimate, STANDARD_ERRORS_MAX } from './estimate.ts';

/** What came of a check. `not run`: it would need more trials than there is time for. */
export type Verdict = 'agrees' | 'outside' | 'disagrees' | 'form only' | 'not run';

export interface Outcome {
  readonly check: Check;
  /** `undefined`: it was not simulated. */
  readonly estimate: Estimate | undefined;
  readonly verdict: Verdict;
}

/** How much a check may cost, in draws, and how many of the rare events are waited for. */
export interface Effort {
  readonly name: 'full' | 'quick';
  readonly costMax: number;
  readonly eventsMax: number;
  readonly trialsMin: number;
}

export const FULL: Effort = { name: 'full', costMax: 2.5e8, eventsMax: Number.POSITIVE_INFINITY, trialsMin: 20_000 };
/** Some ten seconds of two cores. */
export const QUICK: Effort = { name: 'quick', costMax: 6.1e6, eventsMax: 50, trialsMin: 2_000 };

/** Trials of our sender and receiver, of which a short run takes fewer; a bare draw costs 1. */
const DEAR = 100;

/** How many trials a check is given; `undefined`: none, as it would be too dear. */
export function trialsWithin(check: Check, effort: Effort): number | undefined {
  const { agreement, predicted, trials, trialCost, simulate } = check;
  if (!simulate) return undefined;
  const enough = Math.max(effort.trialsMin, Math.ceil(effort.eventsMax / predicted));
  const rareAndDear = agreement.kind === 'interval' && predicted < 1 && trialCost >= DEAR;
  const given = rareAndDear ? Math.min(trials, enough) : trials;
  return given * trialCost > effort.costMax ? undefined : given;
}

/** Runs a check from a seed of its own, so that no two of them share their luck. */
export function runCheck(check: Check, seed: number, effort: Effort): Estimate | undefined {
  const trials = trialsWithin(check, effort);
  if (trials === undefined) return undefined;
  // Seeds of links are whole numbers below 2^31.
  const own = new RandomStream(seed, check.id).uint32(0) >>> 1;
  return check.simulate!(own, trials);
}

export function judge(check: Check, estimate: Estimate | undefined): Outcome {
  return { check, estimate, verdict: verdictOf(check, estimate) };
}

/** Beyond so many standard errors no number of checks makes it likely. */
export const STANDARD_ERRORS_NEVER = 4;

function verdictOf({ agreement, predicted, simulate }: Check, measured: Estimate | undefined): Verdict {
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
      return off <= EQUAL_TO * Math.max(1, Math.abs(predicted)) ? 'agrees' : 'disagrees';
    case 'at-most':
      return estimate <= predicted ? 'agrees' : 'disagrees';
    default:
      return agreement satisfies never;
  }
}

/** Equal but for the rounding of a sum. */
const EQUAL_TO = 1e-9;

/** The share of fair runs outside of a 99 % interval. */
const OUTSIDE_SHARE = 0.01;
/** So rarely more fall outside than are allowed although all is right. */
const MORE_BY_CHANCE = 0.001;

/** How many of so many independent 99 % intervals may miss: more happens to fair ones once in a thousand runs. */
export function outsideAllowed(intervals: number): number {
  let allowed = 0;
  while (binomialTail(intervals, OUTSIDE_SHARE, allowed + 1) > MORE_BY_CHANCE) allowed++;
  return allowed;
}

export interface Validation {
  readonly passed: boolean;
  readonly agree: number;
  /** Of the checks with an interval. */
  readonly intervals: number;
  readonly outside: number;
  readonly outsideAllowed: number;
  readonly disagree: number;
  readonly formOnly: number;
  readonly notRun: number;
}

/** All checks together: no more outside than chance allows, and nothing that disagrees. */
export function validate(outcomes: readonly Outcome[]): Validation {
  const count = (verdict: Verdict) => outcomes.filter((outcome) => outcome.verdict === verdict).length;
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
