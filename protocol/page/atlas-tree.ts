import { assert } from '../base/assert.ts';
import { type AtlasAxis, type AtlasPoint, lastPosition, STEPS } from './atlas-axes.ts';

/** A part of the space: lowest position on each axis, and positions to the highest, which belongs to it. */
export interface AtlasBox {
  readonly low: AtlasPoint;
  readonly size: readonly number[];
}

/** A box that was halved along an axis, by its number: the first boxes in order, then the halves of each split. */
export interface AtlasSplit {
  readonly box: number;
  readonly axis: number;
}

export const pointKey = (point: AtlasPoint): string => point.join(',');

/** Corners of a box, those of an axis with a single value twice: corner `c` is high on axis `a` when bit `a` of `c` is set. */
export function cornersOf({ low, size }: AtlasBox): readonly AtlasPoint[] {
  return Array.from({ length: 1 << low.length }, (_, corner) =>
    low.map((at, axis) => at + (corner & (1 << axis) ? size[axis]! : 0)),
  );
}

/**
 * Boxes of an atlas: the first ones lie between neighboring knots, and each split halves a box along an axis. The order
 * of the splits is all that describes a tree.
 */
export class AtlasTree {
  readonly #boxes: AtlasBox[] = [];
  readonly #halves = new Map<number, { readonly axis: number; readonly lower: number }>();
  readonly #splits: AtlasSplit[] = [];
  readonly #first: number;
  /** First boxes along each axis. */
  readonly #counts: readonly number[];

  constructor(axes: readonly AtlasAxis[], splits: readonly AtlasSplit[] = []) {
    this.#counts = axes.map((axis) => Math.max(1, lastPosition(axis) / STEPS));
    this.#first = this.#counts.reduce((product, count) => product * count, 1);
    for (let number = 0; number < this.#first; number++) {
      const low: number[] = [];
      let rest = number;
      for (const count of this.#counts) {
        low.push((rest % count) * STEPS);
        rest = Math.floor(rest / count);
      }
      this.#boxes.push({ low, size: axes.map((axis) => Math.min(STEPS, lastPosition(axis))) });
    }
    for (const split of splits) this.split(split);
  }

  get splits(): readonly AtlasSplit[] {
    return this.#splits;
  }

  box(number: number): AtlasBox {
    const box = this.#boxes[number];
    assert(box !== undefined, 'a box must be in the tree');
    return box;
  }

  /** Numbers of the boxes that are not split, ascending. */
  leaves(): readonly number[] {
    return this.#boxes.flatMap((_, number) => (this.#halves.has(number) ? [] : [number]));
  }

  canSplit(number: number, axis: number): boolean {
    return !this.#halves.has(number) && this.box(number).size[axis]! >= 2;
  }

  split({ box: number, axis }: AtlasSplit): void {
    assert(this.canSplit(number, axis), 'only a leaf with a middle can be split');
    const { low, size } = this.box(number);
    const half = size.map((each, index) => (index === axis ? each / 2 : each));
    this.#halves.set(number, { axis, lower: this.#boxes.length });
    this.#boxes.push({ low, size: half });
    this.#boxes.push({ low: low.map((each, index) => (index === axis ? each + half[axis]! : each)), size: half });
    this.#splits.push({ box: number, axis });
  }

  /** Returns the leaves that contain a position, also on their faces; of two halves the lower one first. */
  leavesAt(point: AtlasPoint): readonly AtlasBox[] {
    const leaves: AtlasBox[] = [];
    const descend = (number: number): void => {
      const halves = this.#halves.get(number);
      const box = this.box(number);
      if (!halves) return void leaves.push(box);
      const middle = box.low[halves.axis]! + box.size[halves.axis]! / 2;
      if (point[halves.axis]! <= middle) descend(halves.lower);
      if (point[halves.axis]! >= middle) descend(halves.lower + 1);
    };
    for (const number of this.#firstBoxesAt(point)) descend(number);
    return leaves;
  }

  #firstBoxesAt(point: AtlasPoint): readonly number[] {
    let numbers = [0];
    for (let axis = this.#counts.length - 1; axis >= 0; axis--) {
      const count = this.#counts[axis]!;
      const at = point[axis]! / STEPS;
      const upper = Math.min(count - 1, Math.floor(at));
      const lower = Math.max(0, Math.ceil(at) - 1);
      const along = lower < upper ? [lower, upper] : [upper];
      numbers = numbers.flatMap((number) => along.map((index) => number * count + index));
    }
    return numbers;
  }

  /**
   * Returns the nearest corner of the leaves that contain a position: the position itself when it is a corner. At a tie
   * the lower one.
   */
  nearestCorner(point: AtlasPoint): AtlasPoint {
    let nearest: AtlasPoint | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const { low, size } of this.leavesAt(point)) {
      const corner = low.map((at, axis) => (point[axis]! - at > size[axis]! / 2 ? at + size[axis]! : at));
      const distance = corner.reduce((sum, at, axis) => sum + (at - point[axis]!) ** 2, 0);
      if (distance < least) [nearest, least] = [corner, distance];
    }
    assert(nearest !== undefined, 'a position must be in the tree');
    return nearest;
  }
}
