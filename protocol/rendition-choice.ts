import { type Ticks, ticks } from './base/units.ts';

/** Constants of the choice among renditions. docs/ENCODER.md has the measurements behind them. */
export interface RenditionChoiceOptions {
  /** Time over which the highest target counts, 90 kHz: the queue behind a key frame lowers it for a moment. */
  readonly memory: Ticks;
  /** Share of the target that a rendition may take, 0 … 1: the rest drains the queue that a key frame leaves. */
  readonly utilization: number;
}

export const RENDITION_CHOICE_DEFAULTS: RenditionChoiceOptions = { memory: ticks(13_500), utilization: 0.9 };

/** Length of a group of pictures, seconds: the time for which a change of the path may have to wait. */
export const RENDITION_GROUP_SECONDS = 0.5;

interface Sample {
  readonly at: Ticks;
  readonly target: number;
}

/**
 * Chooses among encodes of one source at fixed bit rates, whose groups of pictures begin together: at each key frame the
 * highest rate that the path carries, or the lowest one. It rises by one rate at a time: while no queue has shown the
 * capacity, the target is without bound.
 */
export class RenditionChoice {
  readonly #rates: readonly number[];
  readonly #options: RenditionChoiceOptions;
  /** Targets of the last while, each above those after it. */
  readonly #targets: Sample[] = [];
  #chosen: number;

  /** @param rates of the renditions, bits per second, ascending. @param start bit rate before the first target. */
  constructor(rates: readonly number[], start: number, options: Partial<RenditionChoiceOptions> = {}) {
    this.#rates = rates;
    this.#options = { ...RENDITION_CHOICE_DEFAULTS, ...options };
    this.#chosen = this.#fitting(start);
  }

  /**
   * Returns the rendition of the next picture, index of its rate. @param at time of the picture. @param isKey true when a
   * group begins with it. @param target bit rate that the path carries now, bits per second.
   */
  next(at: Ticks, isKey: boolean, target: number): number {
    const targets = this.#targets;
    // The time goes back where the source begins again.
    while (targets[0] && (targets[0].at < at - this.#options.memory || targets[0].at > at)) targets.shift();
    while (targets.length > 0 && targets.at(-1)!.target <= target) targets.pop();
    targets.push({ at, target });
    if (isKey) {
      const fitting = this.#fitting(targets[0]!.target * this.#options.utilization);
      this.#chosen = Math.min(fitting, this.#chosen + 1);
    }
    return this.#chosen;
  }

  #fitting(rate: number): number {
    const above = this.#rates.findIndex((each) => each > rate);
    return above === -1 ? this.#rates.length - 1 : Math.max(0, above - 1);
  }
}

/** Returns bit rates between the bounds, both included, at equal ratios, ascending. */
export function renditionRates(min: number, max: number, count: number): readonly number[] {
  if (count === 1 || min >= max) return [max];
  return Array.from({ length: count }, (_, index) => Math.round(min * (max / min) ** (index / (count - 1))));
}
