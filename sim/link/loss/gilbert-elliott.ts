import type { Microseconds } from '../../../protocol/base/units.ts';
import type { RandomStream } from '../../random.ts';
import type { GilbertElliottModel } from './loss-model.ts';
import type { LossSource } from './loss-source.ts';

/** A jump over more frames than this is treated as a new stream; the chain has converged by then. */
const FRAMES_AT_ONCE_MAX = 1_000_000;

export interface GilbertElliottOptions {
  readonly model: GilbertElliottModel;
  /** Draws of the state transitions, indexed by step. */
  readonly transitions: RandomStream;
  /** Draws of the losses within a state, indexed by datagram. */
  readonly losses: RandomStream;
  readonly startsBad: boolean;
  /** Step at which the chain starts. */
  readonly firstStep: number;
}

/**
 * The two-state chain of Gilbert and Elliott. A datagram is lost with the probability of the current state; the
 * transition follows, as in the Linux kernel.
 */
export class GilbertElliott implements LossSource {
  readonly #options: GilbertElliottOptions;
  #step: number;
  #bad: boolean;

  constructor(options: GilbertElliottOptions) {
    this.#options = options;
    this.#step = options.firstStep;
    this.#bad = options.startsBad;
  }

  lost(index: number, at: Microseconds, frame: number | undefined): boolean {
    const { model, losses } = this.#options;
    this.#advance(this.#stepOf(index, at, frame));
    const share = this.#bad ? model.lossInBad : model.lossInGood;
    return share === 1 || (share > 0 && losses.chance(index, share));
  }

  #stepOf(index: number, at: Microseconds, frame: number | undefined): number {
    const { step } = this.#options.model;
    if (step === 'packet') return index;
    if (step !== 'frame') return Math.floor(at / step);
    // Without frame numbers, each datagram counts as one frame.
    return frame ?? index;
  }

  #advance(to: number): void {
    const { model, transitions } = this.#options;
    if (to - this.#step > FRAMES_AT_ONCE_MAX && model.step === 'frame') this.#step = to - FRAMES_AT_ONCE_MAX;
    while (this.#step < to) {
      this.#step++;
      this.#bad = transitions.chance(this.#step, this.#bad ? 1 - model.leaveBad : model.enterBad);
    }
  }
}
