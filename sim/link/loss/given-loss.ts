import type { RandomStream } from '../../random.ts';
import type { LossBitmap, ShuffledModel } from './loss-model.ts';
import type { LossSource } from './loss-source.ts';

/** Loses exactly the listed datagrams (numbered from 1, ascending). */
export class ListedLoss implements LossSource {
  readonly #numbers: readonly number[];
  #next = 0;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  lost(index: number): boolean {
    while (this.#next < this.#numbers.length && this.#numbers[this.#next]! < index + 1) this.#next++;
    return this.#numbers[this.#next] === index + 1;
  }
}

/** Replays a recorded loss pattern, and repeats it after its end. */
export class RecordedLoss implements LossSource {
  readonly #bitmap: LossBitmap;

  constructor(bitmap: LossBitmap) {
    this.#bitmap = bitmap;
  }

  lost(index: number): boolean {
    return this.#bitmap.lost[index % this.#bitmap.lost.length] === 1;
  }
}

/**
 * Loses a fixed number of datagrams per block: each is lost with probability (losses left)/(datagrams left in the
 * block).
 */
export class ShuffledLoss implements LossSource {
  readonly #model: ShuffledModel;
  readonly #random: RandomStream;
  #toLose = 0;

  constructor(model: ShuffledModel, random: RandomStream) {
    this.#model = model;
    this.#random = random;
  }

  lost(index: number): boolean {
    const { block, loss } = this.#model;
    const place = index % block;
    if (place === 0) this.#toLose = Math.round(loss * block);
    const lost = this.#random.chance(index, this.#toLose / (block - place));
    if (lost) this.#toLose--;
    return lost;
  }
}
