import type { RandomStream } from '../../random.ts';
import type { LossBitmap, ShuffledModel } from './loss-model.ts';
import type { LossSource } from './loss-source.ts';

/** Loses the datagrams with the given numbers (from 1, ascending) and no other. */
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

/** Loses what was lost on a recorded path, from its beginning again after its end. */
export class RecordedLoss implements LossSource {
  readonly #bitmap: LossBitmap;

  constructor(bitmap: LossBitmap) {
    this.#bitmap = bitmap;
  }

  lost(index: number): boolean {
    return this.#bitmap.lost[index % this.#bitmap.lost.length] === 1;
  }
}

/** Loses exactly so many of each block: the next is lost with the chance of what is left to lose in what is left. */
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
