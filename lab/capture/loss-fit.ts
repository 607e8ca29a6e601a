import { type Interval, wilson } from '../report/interval.ts';
import { type ElliottFit, fitElliott } from './elliott-fit.ts';
import { peakBetween, rootBetween } from './search.ts';

/** Losses of a path with the model that describes them; all intervals have 95 %. */
export interface LossFit {
  /** `none`: nothing was lost. */
  readonly model: 'none' | 'independent' | 'gilbert' | 'gilbert-elliott';
  /** Share lost, with the interval of a Gilbert chain, which independent losses are one of. */
  readonly loss: Interval;
  /** Mean run of losses, datagrams. */
  readonly burst: Interval | undefined;
  /** Parameters of the Gilbert–Elliott chain, when two loss rates describe the losses better than one. */
  readonly elliott: ElliottFit | undefined;
  readonly packets: number;
  readonly lost: number;
  readonly runs: number;
  readonly longestRun: number;
}

/** Quantiles of the χ² distribution: with one degree of freedom at 95 %, with two at 99.9 %. */
const CHI_SQUARE = 3.841;
const CHI_SQUARE_TWO = 13.82;

/** Transitions between received (0) and lost (1), counted. */
interface Transitions {
  readonly from0: readonly [number, number];
  readonly from1: readonly [number, number];
}

/** Fits a loss model to a recording: one number per datagram, 1 lost and 0 received. */
export function fitLoss(lost: Uint8Array): LossFit {
  const packets = lost.length;
  const from0: [number, number] = [0, 0];
  const from1: [number, number] = [0, 0];
  let losses = lost[0] ?? 0;
  let runs = losses;
  let run = losses;
  let longestRun = losses;
  for (let index = 1; index < packets; index++) {
    const now = lost[index] as 0 | 1;
    (lost[index - 1] ? from1 : from0)[now]++;
    run = now ? run + 1 : 0;
    if (run > longestRun) longestRun = run;
    losses += now;
    if (now && !lost[index - 1]) runs++;
  }
  const counted = { packets, lost: losses, runs, longestRun };
  if (losses === 0 || losses === packets) {
    const loss = wilson(losses, packets);
    return { model: losses === 0 ? 'none' : 'independent', loss, burst: undefined, elliott: undefined, ...counted };
  }
  const transitions = { from0, from1 };
  const loss = lossInterval(transitions, losses / packets);
  const leave = wilson(from1[0], from1[0] + from1[1]);
  const burst = { value: losses / runs, low: 1 / leave.high, high: leave.low === 0 ? Infinity : 1 / leave.low };
  const chain = likelihood(transitions, from0[1] / sum(from0), from1[0] / sum(from1));
  const elliott = runs >= RUNS_MIN ? fitElliott(lost, chain + CHI_SQUARE_TWO / 2) : undefined;
  if (elliott) return { model: 'gilbert-elliott', loss, burst, elliott, ...counted };
  const share = (from0[1] + from1[1]) / (sum(from0) + sum(from1));
  const depends = 2 * (chain - likelihood(transitions, share, 1 - share)) > CHI_SQUARE;
  return { model: depends ? 'gilbert' : 'independent', loss, burst, elliott: undefined, ...counted };
}

/** With fewer runs of losses, four parameters cannot be told. */
const RUNS_MIN = 30;

const sum = ([one, other]: readonly [number, number]): number => one + other;
/** x·ln y, and 0 for x = 0. */
const weighted = (count: number, share: number): number => (count === 0 ? 0 : count * Math.log(share));

/** Log-likelihood of the transitions. @param enter, leave probabilities of a transition 0 → 1 and 1 → 0 */
function likelihood({ from0, from1 }: Transitions, enter: number, leave: number): number {
  return (
    weighted(from0[1], enter) +
    weighted(from0[0], 1 - enter) +
    weighted(from1[0], leave) +
    weighted(from1[1], 1 - leave)
  );
}

/** Interval of the stationary loss by the profile likelihood of the chain. */
function lossInterval(transitions: Transitions, value: number): Interval {
  const best = (loss: number): number => {
    const odds = loss / (1 - loss);
    // The chain enters with probability odds·leave, which is at most 1.
    return peakBetween((leave) => likelihood(transitions, odds * leave, leave), 1e-9, Math.min(1, 1 / odds) - 1e-9);
  };
  const most = likelihood(
    transitions,
    transitions.from0[1] / sum(transitions.from0),
    transitions.from1[0] / sum(transitions.from1),
  );
  const beyond = (loss: number) => 2 * (most - best(loss)) - CHI_SQUARE;
  const center = Math.min(Math.max(value, 1e-9), 1 - 1e-9);
  const low = beyond(center / 100) > 0 ? rootBetween(beyond, center / 100, center, 40) : 0;
  const far = center + (1 - center) * 0.999;
  const high = beyond(far) > 0 ? rootBetween(beyond, center, far, 40) : 1;
  return { value, low: Math.min(low, value), high: Math.max(high, value) };
}
