import type { RandomStream } from '../../random.ts';
import type { FourStateModel } from './loss-model.ts';
import type { LossSource } from './loss-source.ts';

/**
 * The four-state model of netem (`loss state`), starting in state 1. A datagram's fate is that of the state after the
 * transition, so the datagram after an isolated loss is always received.
 */
export class FourState implements LossSource {
  readonly #model: FourStateModel;
  readonly #random: RandomStream;
  #state: 1 | 2 | 3 | 4 = 1;

  constructor(model: FourStateModel, random: RandomStream) {
    this.#model = model;
    this.#random = random;
  }

  lost(index: number): boolean {
    const { p13, p31, p32, p23, p14 } = this.#model;
    const draw = this.#random.uint32(index) / 0x1_0000_0000;
    switch (this.#state) {
      case 1:
        this.#state = draw < p14 ? 4 : draw < p14 + p13 ? 3 : 1;
        break;
      case 2:
        this.#state = draw < p23 ? 3 : 2;
        break;
      case 3:
        this.#state = draw < p32 ? 2 : draw < p32 + p31 ? 1 : 3;
        break;
      case 4:
        this.#state = 1;
        break;
      default:
        this.#state satisfies never;
    }
    return this.#state >= 3;
  }
}
