import type { Estimate } from './estimate.ts';

/** One run of so many trials; the same seed gives the same estimate. */
export type Simulate = (seed: number, trials: number) => Estimate;

/** What is checked, in the order in which it is told. */
export const CHECK_GROUPS = [
  'closed forms',
  'link',
  'netem',
  'recovery',
  'waiting',
  'tcp',
  'metrics',
  'fairness',
] as const;

export type CheckGroup = (typeof CHECK_GROUPS)[number];

/**
 * When a simulation agrees. `interval`: the prediction lies within its 99 % interval, which is left to chance; the others
 * are not: `within` a share of the prediction, where that is an approximation; `equal`; `at-most`.
 */
export type Agreement =
  | { readonly kind: 'interval' }
  | { readonly kind: 'within'; readonly share: number }
  | { readonly kind: 'equal' }
  | { readonly kind: 'at-most' };

export const INTERVAL: Agreement = { kind: 'interval' };
export const EQUAL: Agreement = { kind: 'equal' };
export const AT_MOST: Agreement = { kind: 'at-most' };

/** A prediction against what our own code does. */
export interface Check {
  /** Unique, such as `arq p=0.01 n=2`. */
  readonly id: string;
  readonly group: CheckGroup;
  /** What is predicted, such as `arq`. */
  readonly name: string;
  readonly parameters: Parameters;
  readonly predicted: number;
  readonly agreement: Agreement;
  /** Trials after which a verdict means something: about a hundred of the rare events, at least twenty thousand. */
  readonly trials: number;
  /** What a trial costs, in packets drawn. */
  readonly trialCost: number;
  /** `undefined`: nothing here can simulate it; only the form is checked (throughput of TCP). */
  readonly simulate: Simulate | undefined;
}

export type Parameters = Readonly<Record<string, number | string>>;

/** Makes a check; what is not said is the usual. */
export function check(
  group: CheckGroup,
  name: string,
  parameters: Parameters,
  rest: Pick<Check, 'predicted' | 'trials' | 'simulate'> & Partial<Check>,
): Check {
  const id = [name, ...Object.entries(parameters).map(([key, value]) => `${key}=${value}`)].join(' ');
  return { id, group, name, parameters, agreement: INTERVAL, trialCost: 1, ...rest };
}
