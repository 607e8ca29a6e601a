import type { Microseconds } from '../../../protocol/base/instant.ts';

/**
 * Gilbert–Elliott: two states, Good and Bad, each with a loss of its own. One step is a datagram, a frame, or a span of
 * time in microseconds; the last two do not punish who sends more datagrams.
 */
export interface GilbertElliottModel {
  readonly kind: 'gilbert-elliott';
  /** Chance of a step from Good to Bad, 0 … 1 (`p` of the literature). */
  readonly enterBad: number;
  /** Chance of a step from Bad to Good, 0 … 1 (`r`). */
  readonly leaveBad: number;
  /** Share lost in Bad, 0 … 1 (netem's `1-h`). */
  readonly lossInBad: number;
  /** Share lost in Good, 0 … 1 (netem's `1-k`). */
  readonly lossInGood: number;
  readonly step: 'packet' | 'frame' | Microseconds;
}

/** Gilbert–Elliott in continuous time: the sojourns in both states are exponential. */
export interface ContinuousTimeModel {
  readonly kind: 'continuous-time';
  /** Share of the time spent in Bad, above 0, below 1. */
  readonly badShare: number;
  /** Mean sojourn in Bad, microseconds. */
  readonly meanBad: Microseconds;
  readonly lossInBad: number;
  readonly lossInGood: number;
}

/** netem's four states: 1 received in a gap, 2 received in a burst, 3 lost in a burst, 4 lost alone. */
export interface FourStateModel {
  readonly kind: 'four-state';
  readonly p13: number;
  readonly p31: number;
  readonly p32: number;
  readonly p23: number;
  readonly p14: number;
}

/** A link that is there and away by turns, on first: Mahimahi's `mm-onoff` (exponential) and `mm-intermittent`. */
export interface OnOffModel {
  readonly kind: 'on-off';
  readonly durations: 'exponential' | 'periodic';
  /** Mean or exact length, microseconds. */
  readonly on: Microseconds;
  readonly off: Microseconds;
}

/** The datagrams with these numbers, the first on this direction being number 1, are lost; ascending, no other. */
export interface DropListModel {
  readonly kind: 'drop-list';
  readonly numbers: readonly number[];
}

/** What was lost on some path once, over and over. */
export interface LossBitmap {
  readonly name: string;
  /** Of the content, 16 hexadecimal digits. */
  readonly hash: string;
  /** A byte each datagram: 1, it is lost. */
  readonly lost: Uint8Array;
}

export interface BitmapModel {
  readonly kind: 'bitmap';
  readonly bitmap: LossBitmap;
}

/** Of each block the same number of datagrams, round(loss · block), at random places: the rate without its variance. */
export interface ShuffledModel {
  readonly kind: 'shuffled';
  readonly loss: number;
  /** Datagrams, 1 … 65536. */
  readonly block: number;
}

export type LossModel =
  | GilbertElliottModel
  | ContinuousTimeModel
  | FourStateModel
  | OnOffModel
  | DropListModel
  | BitmapModel
  | ShuffledModel;

/** The long-run share of datagrams that a model loses, of datagrams that come evenly; a drop list's is 0. */
export function meanLoss(model: LossModel): number {
  switch (model.kind) {
    case 'gilbert-elliott': {
      const total = model.enterBad + model.leaveBad;
      const bad = total === 0 ? 0 : model.enterBad / total;
      return bad * model.lossInBad + (1 - bad) * model.lossInGood;
    }
    case 'continuous-time':
      return model.badShare * model.lossInBad + (1 - model.badShare) * model.lossInGood;
    case 'four-state': {
      const { burst, alone, total } = fourStateWeights(model);
      return (burst + alone) / total;
    }
    case 'on-off':
      return model.off / (model.on + model.off);
    case 'drop-list':
      return 0;
    case 'bitmap':
      return model.bitmap.lost.reduce((sum, lost) => sum + lost, 0) / model.bitmap.lost.length;
    case 'shuffled':
      return Math.round(model.loss * model.block) / model.block;
    default:
      return model satisfies never;
  }
}

/** Stationary weights from the balance of each state; a burst that never ends takes all. */
function fourStateWeights({ p13, p31, p32, p23, p14 }: FourStateModel) {
  if (p13 > 0 && p31 === 0) return { burst: p32 === 0 ? 1 : p23, alone: 0, total: p32 === 0 ? 1 : p23 + p32 };
  if (p13 > 0 && p32 > 0 && p23 === 0) return { burst: 0, alone: 0, total: 1 };
  const burst = p13 === 0 ? 0 : p13 / p31;
  const receivedInBurst = p32 === 0 ? 0 : (burst * p32) / p23;
  return { burst, alone: p14, total: 1 + burst + receivedInBurst + p14 };
}
