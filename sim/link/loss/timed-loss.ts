import { type Microseconds, microseconds } from '../../../protocol/base/units.ts';
import type { RandomStream } from '../../random.ts';
import type { ContinuousTimeModel, OnOffModel } from './loss-model.ts';
import type { LossSource } from './loss-source.ts';
import { SwitchingTimes } from './switching-times.ts';

export interface TimedLossOptions {
  /** Draws of the sojourn times. */
  readonly times: RandomStream;
  /** Draws of the losses within a state, indexed by datagram. */
  readonly losses: RandomStream;
  /** Draw of the initial state. */
  readonly start: RandomStream;
  /** Start of the model, microseconds since the link began. */
  readonly from: Microseconds;
}

/** Returns the switching times of a model with random sojourns; `undefined` when they are periodic. */
export function switchingTimes(
  model: ContinuousTimeModel | OnOffModel,
  { times, start, from }: TimedLossOptions,
): SwitchingTimes | undefined {
  if (model.kind === 'continuous-time') {
    const { badShare, meanBad } = model;
    const meanGood = microseconds((meanBad * (1 - badShare)) / badShare);
    return new SwitchingTimes({ random: times, meanGood, meanBad, startsBad: start.chance(0, badShare), from });
  }
  if (model.durations === 'periodic') return undefined;
  return new SwitchingTimes({ random: times, meanGood: model.on, meanBad: model.off, startsBad: false, from });
}

/** Time-driven loss: the state depends on the clock, not on the traffic. */
export class TimedLoss implements LossSource {
  readonly #model: ContinuousTimeModel | OnOffModel;
  readonly #options: TimedLossOptions;
  readonly #times: SwitchingTimes | undefined;

  constructor(model: ContinuousTimeModel | OnOffModel, options: TimedLossOptions) {
    this.#model = model;
    this.#options = options;
    this.#times = switchingTimes(model, options);
  }

  lost(index: number, at: Microseconds): boolean {
    const model = this.#model;
    if (model.kind === 'on-off') return this.#times?.isBad(at) ?? this.#isPeriodicallyOff(at, model);
    const share = this.#times?.isBad(at) ? model.lossInBad : model.lossInGood;
    return share === 1 || (share > 0 && this.#options.losses.chance(index, share));
  }

  #isPeriodicallyOff(at: Microseconds, { on, off }: OnOffModel): boolean {
    return (at - this.#options.from) % (on + off) >= on;
  }
}
