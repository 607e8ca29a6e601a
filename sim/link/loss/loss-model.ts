import type { Microseconds } from '../../../protocol/base/units.ts';
import type { PathTrace } from './path-trace.ts';

/**
 * Gilbert–Elliott: two states, Good and Bad, each with its own loss probability. The chain steps once per datagram, per
 * frame, or per fixed time span in microseconds; with the last two, a sender of more datagrams does not see shorter
 * bursts.
 */
export interface GilbertElliottModel {
  readonly kind: 'gilbert-elliott';
  /** Probability of a transition from Good to Bad per step, 0 … 1 (`p` in the literature). */
  readonly enterBad: number;
  /** Probability of a transition from Bad to Good per step, 0 … 1 (`r`). */
  readonly leaveBad: number;
  /** Loss probability in Bad, 0 … 1 (netem's `1-h`). */
  readonly lossInBad: number;
  /** Loss probability in Good, 0 … 1 (netem's `1-k`). */
  readonly lossInGood: number;
  readonly step: 'packet' | 'frame' | Microseconds;
}

/** Gilbert–Elliott in continuous time: sojourn times in both states are exponentially distributed. */
export interface ContinuousTimeModel {
  readonly kind: 'continuous-time';
  /** Fraction of time spent in Bad, exclusively between 0 and 1. */
  readonly badShare: number;
  /** Mean sojourn time in Bad, microseconds. */
  readonly meanBad: Microseconds;
  readonly lossInBad: number;
  readonly lossInGood: number;
}

/** The four-state model of netem: 1 received in a gap, 2 received in a burst, 3 lost in a burst, 4 isolated loss. */
export interface FourStateModel {
  readonly kind: 'four-state';
  readonly p13: number;
  readonly p31: number;
  readonly p32: number;
  readonly p23: number;
  readonly p14: number;
}

/** A link that alternates between up and down, up first: Mahimahi's `mm-onoff` (exponential) and `mm-intermittent`. */
export interface OnOffModel {
  readonly kind: 'on-off';
  readonly durations: 'exponential' | 'periodic';
  /** Mean (exponential) or exact (periodic) duration, microseconds. */
  readonly on: Microseconds;
  readonly off: Microseconds;
}

/** Loses exactly the datagrams with these numbers (ascending; the first datagram of the direction is number 1). */
export interface DropListModel {
  readonly kind: 'drop-list';
  readonly numbers: readonly number[];
}

/** A recorded loss pattern, replayed in a loop. */
export interface LossBitmap {
  readonly name: string;
  /** Hash of the content, 16 hexadecimal digits. */
  readonly hash: string;
  /** One byte per datagram: 1 lost, 0 received. */
  readonly lost: Uint8Array;
}

/** Loses datagrams by a recorded pattern. */
export interface BitmapModel {
  readonly kind: 'bitmap';
  readonly bitmap: LossBitmap;
}

/** Replays losses by time; the delays of the trace are part of the link's propagation. */
export interface PathTraceModel {
  readonly kind: 'path-trace';
  readonly trace: PathTrace;
}

/** Loses round(loss · block) datagrams of each block, at random places: a fixed loss rate without variance. */
export interface ShuffledModel {
  readonly kind: 'shuffled';
  readonly loss: number;
  /** Block size, datagrams, 1 … 65536. */
  readonly block: number;
}

/** A loss model: a union by `kind`. */
export type LossModel =
  | GilbertElliottModel
  | ContinuousTimeModel
  | FourStateModel
  | OnOffModel
  | DropListModel
  | BitmapModel
  | PathTraceModel
  | ShuffledModel;

/** Long-run loss of a model for evenly spaced datagrams, 0 … 1; 0 for a drop list. */
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
    case 'path-trace':
      return (
        model.trace.delays.reduce((sum, delay) => sum + (Number.isNaN(delay) ? 1 : 0), 0) / model.trace.delays.length
      );
    case 'shuffled':
      return Math.round(model.loss * model.block) / model.block;
    default:
      return model satisfies never;
  }
}

/** Stationary weights of the four states from their balance equations. An absorbing burst takes all the weight. */
function fourStateWeights({ p13, p31, p32, p23, p14 }: FourStateModel) {
  if (p13 > 0 && p31 === 0) return { burst: p32 === 0 ? 1 : p23, alone: 0, total: p32 === 0 ? 1 : p23 + p32 };
  if (p13 > 0 && p32 > 0 && p23 === 0) return { burst: 0, alone: 0, total: 1 };
  const burst = p13 === 0 ? 0 : p13 / p31;
  const receivedInBurst = p32 === 0 ? 0 : (burst * p32) / p23;
  return { burst, alone: p14, total: 1 + burst + receivedInBurst + p14 };
}
