import type { Estimate } from './estimate.ts';

/** Runs a number of trials; the same seed gives the same estimate. */
export type Simulate = (seed: number, trials: number) => Estimate;

/** Groups of checks, in the order of the report. */
export const CHECK_GROUPS = [
  'closed forms',
  'link',
  'netem',
  'recovery',
  'waiting',
  'tcp',
  'metrics',
  'fairness',
  'queues',
  'sharing',
] as const;

export type CheckGroup = (typeof CHECK_GROUPS)[number];

/**
 * Criterion of agreement. `interval`: the prediction lies within the simulation's 99 % interval, which random deviation
 * can violate. The others are deterministic: `within` a fraction of an approximate prediction; `equal`; `at-most`.
 */
export type Agreement =
  | { readonly kind: 'interval' }
  | { readonly kind: 'within'; readonly share: number }
  | { readonly kind: 'equal' }
  | { readonly kind: 'at-most' };

export const INTERVAL: Agreement = { kind: 'interval' };
export const EQUAL: Agreement = { kind: 'equal' };
export const AT_MOST: Agreement = { kind: 'at-most' };

/** A prediction compared with a simulation of our own code. */
export interface Check {
  /** Unique id, such as `arq p=0.01 n=2`. Part of the seed. */
  readonly id: string;
  readonly group: CheckGroup;
  /** Name of the prediction, such as `arq`. */
  readonly name: string;
  readonly parameters: CheckParameters;
  readonly predicted: number;
  readonly agreement: Agreement;
  /** Number of trials for a meaningful verdict: about a hundred of the rare events, at least twenty thousand. */
  readonly trials: number;
  /** Cost of a trial, in random draws. */
  readonly trialCost: number;
  /** `undefined` when it cannot be simulated, and only the formula is checked (TCP throughput). */
  readonly simulate: Simulate | undefined;
}

export type CheckParameters = Readonly<Record<string, number | string>>;

/** Builds a check; omitted fields have their defaults. */
export function check(
  group: CheckGroup,
  name: string,
  parameters: CheckParameters,
  rest: Pick<Check, 'predicted' | 'trials' | 'simulate'> & Partial<Check>,
): Check {
  const id = [name, ...Object.entries(parameters).map(([key, value]) => `${key}=${value}`)].join(' ');
  return { id, group, name, parameters, agreement: INTERVAL, trialCost: 1, ...rest };
}
