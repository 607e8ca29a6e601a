import { assert } from '../../protocol/base/assert.ts';
import { runOrders } from '../worker-pool.ts';
import type { Check } from './check.ts';
import { CHECKS } from './checks.ts';
import type { Estimate } from './estimate.ts';
import { type CheckOutcome, type Effort, judge, runCheck, trialsWithin } from './validation.ts';

/** A check by its id: functions cannot be sent to a worker, but each worker has the list. */
export interface CheckOrder {
  readonly id: string;
}

export interface CheckSetting {
  readonly seed: number;
  readonly effort: Effort;
}

export interface CheckProduct {
  readonly id: string;
  readonly estimate: Estimate | undefined;
}

export interface CheckProgress {
  readonly checks: number;
  readonly done: number;
  /** Fraction of the work done, 0 … 1. */
  readonly workDone: number;
}

const checkOf = (id: string): Check => {
  const check = CHECKS.find((each) => each.id === id);
  assert(check !== undefined, 'an ordered check must be in the list');
  return check;
};

export const executeCheck = ({ id }: CheckOrder, { seed, effort }: CheckSetting): CheckProduct => {
  return { id, estimate: runCheck(checkOf(id), seed, effort) };
};

/** Minimum cost of a check. */
const COST_MIN = 20_000;

const costOf = (check: Check, effort: Effort): number =>
  COST_MIN + (trialsWithin(check, effort) ?? 0) * check.trialCost;

/**
 * Runs all checks on worker threads, the most expensive first. The outcomes are in the order of the list, and do not
 * depend on the number of threads.
 *
 * @returns `undefined` when it was interrupted.
 */
export async function runChecks(
  setting: CheckSetting,
  options: {
    readonly jobs: number;
    readonly signal: AbortSignal;
    readonly onProgress: (progress: CheckProgress) => void;
  },
): Promise<readonly CheckOutcome[] | undefined> {
  const costs = new Map(CHECKS.map((check) => [check.id, costOf(check, setting.effort)]));
  const work = [...costs.values()].reduce((sum, cost) => sum + cost, 0);
  const estimates = new Map<string, Estimate | undefined>();
  let worked = 0;
  const orders = [...CHECKS].sort((one, other) => costs.get(other.id)! - costs.get(one.id)!).map(({ id }) => ({ id }));
  await runOrders<CheckOrder, CheckProduct>(orders, {
    entry: 'validation/check-worker',
    jobs: options.jobs,
    setting,
    signal: options.signal,
    nameOf: ({ id }) => `check ${id}`,
    take: ({ id, estimate }) => {
      estimates.set(id, estimate);
      worked += costs.get(id)!;
      options.onProgress({ checks: CHECKS.length, done: estimates.size, workDone: worked / work });
    },
  });
  if (estimates.size < CHECKS.length) return undefined;
  return CHECKS.map((check) => judge(check, estimates.get(check.id)));
}
