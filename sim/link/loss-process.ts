import { type Microseconds, microseconds } from '../../protocol/base/units.ts';
import { RandomStream } from '../random.ts';
import type { LinkSpecification } from './link-specification.ts';
import { FourState } from './loss/four-state.ts';
import { GilbertElliott } from './loss/gilbert-elliott.ts';
import { ListedLoss, RecordedLoss, ShuffledLoss } from './loss/given-loss.ts';
import type { LossModel } from './loss/loss-model.ts';
import type { LossSource } from './loss/loss-source.ts';
import { formatLossModel } from './loss/loss-words.ts';
import { RecordedPathLoss } from './loss/path-trace.ts';
import { TimedLoss } from './loss/timed-loss.ts';

/** The part of a link's specification that describes its losses. */
export type LossOptions = Pick<LinkSpecification, 'loss' | 'burst' | 'lossModel' | 'seed'>;

/**
 * Decides which datagrams a path loses, by their index on the path and, for some models, by time.
 *
 * Independent losses, or the two-state chain of Gilbert (1960): each datagram in the bad state is lost, the mean burst
 * is 1/r datagrams, and p = loss·r/(1 − loss) makes the stationary loss exactly `loss`. A `lossModel` replaces both.
 */
export class LossProcess {
  readonly #direction: string;
  readonly #seed: number;
  readonly #random: RandomStream;
  #link: LossOptions;
  #loss = 0;
  #enterBad = 0;
  #leaveBad = 1;
  #index = 0;
  #bad: boolean;
  #model: LossSource | undefined;

  constructor(link: LossOptions, direction: string) {
    this.#direction = direction;
    this.#seed = link.seed;
    this.#link = link;
    this.#random = this.#stream('loss');
    this.#setChain(link);
    // Start in the stationary distribution, so that short runs are unbiased.
    this.#bad = this.#stream('loss-start').chance(0, link.loss);
    this.#model = link.lossModel && this.#source(link.lossModel, microseconds(0));
  }

  /**
   * Returns true when the next datagram is lost.
   *
   * @param at time since the link began, microseconds; used by time-driven models.
   * @param frame number of the datagram's frame; used by models that step per frame.
   */
  next(at: Microseconds = microseconds(0), frame?: number): boolean {
    const index = this.#index++;
    if (this.#model) return this.#model.lost(index, at, frame);
    if (this.#loss === 0) return false;
    if (index > 0) this.#bad = this.#random.chance(index, this.#bad ? 1 - this.#leaveBad : this.#enterBad);
    return this.#bad;
  }

  /**
   * Replaces the loss parameters from time `at` on. The streams continue, so the draws of other stages do not change.
   */
  reconfigure(link: LossOptions, at: Microseconds): void {
    const { lossModel } = link;
    if (lossModel === undefined || !sameModel(lossModel, this.#link.lossModel)) {
      this.#model = lossModel && this.#source(lossModel, at);
    }
    // A chain with loss keeps its state. Without loss there is no state, so it restarts.
    if (this.#loss === 0) this.#bad = this.#stream(`loss-start/${at}`).chance(0, link.loss);
    this.#setChain(link);
    this.#link = link;
  }

  #setChain({ loss, burst }: LossOptions): void {
    const gilbert = burst * (1 - loss) > 1;
    this.#loss = loss;
    this.#leaveBad = gilbert ? 1 / burst : 1 - loss;
    this.#enterBad = gilbert ? (loss * this.#leaveBad) / (1 - loss) : loss;
  }

  #stream(stage: string): RandomStream {
    return new RandomStream(this.#seed, `${this.#direction}/${stage}`);
  }

  #source(model: LossModel, from: Microseconds): LossSource {
    const begin = from === 0 ? '' : `/${from}`;
    const losses = this.#stream('loss-in-state');
    switch (model.kind) {
      case 'gilbert-elliott': {
        const total = model.enterBad + model.leaveBad;
        const startsBad = this.#stream(`loss-start${begin}`).chance(0, total === 0 ? 0 : model.enterBad / total);
        const firstStep = firstStepOf(model.step, this.#index, from);
        return new GilbertElliott({ model, transitions: this.#random, losses, startsBad, firstStep });
      }
      case 'continuous-time':
      case 'on-off': {
        const times = this.#stream(`loss-times${begin}`);
        return new TimedLoss(model, { times, losses, start: this.#stream(`loss-start${begin}`), from });
      }
      case 'four-state':
        return new FourState(model, this.#random);
      case 'drop-list':
        return new ListedLoss(model.numbers);
      case 'bitmap':
        return new RecordedLoss(model.bitmap);
      case 'path-trace':
        return new RecordedPathLoss(model.trace);
      case 'shuffled':
        return new ShuffledLoss(model, this.#random);
      default:
        return model satisfies never;
    }
  }
}

function firstStepOf(step: 'packet' | 'frame' | Microseconds, index: number, from: Microseconds): number {
  if (step === 'packet') return index;
  return step === 'frame' ? 0 : Math.floor(from / step);
}

const sameModel = (one: LossModel, other: LossModel | undefined): boolean =>
  other !== undefined && formatLossModel(one).join() === formatLossModel(other).join();
