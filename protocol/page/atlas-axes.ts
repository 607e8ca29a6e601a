import { assert } from '../base/assert.ts';

/** Axes of the atlas: what a network and its use are described by. */
export const ATLAS_AXES = ['loss', 'burst', 'rtt', 'jitter', 'budget', 'rate'] as const;

export type AtlasAxisName = (typeof ATLAS_AXES)[number];

/**
 * An axis: ascending knots, of which each begins a stretch of `STEPS` positions. Values between two knots are
 * interpolated: in proportion (`log`), by equal differences (`linear`), or by equal differences of 1/value (`inverse`,
 * where 0 stands for unlimited).
 */
export interface AtlasAxis {
  readonly name: AtlasAxisName;
  readonly knots: readonly number[];
  readonly scale: 'log' | 'linear' | 'inverse';
}

/** Positions from one knot to the next: four halvings. */
export const STEPS = 16;

/** Position on each axis, in the order of the axes. */
export type AtlasPoint = readonly number[];

/** Last position of an axis. */
export const lastPosition = ({ knots }: AtlasAxis): number => (knots.length - 1) * STEPS;

/** Returns the value at a position, with three digits: the same on every machine, and as it is written on a command line. */
export function axisValue({ knots, scale }: AtlasAxis, position: number): number {
  assert(Number.isInteger(position) && position >= 0, 'positions are counted');
  const knot = Math.floor(position / STEPS);
  const from = knots[knot];
  assert(from !== undefined, 'a position must be on its axis');
  const share = (position % STEPS) / STEPS;
  if (share === 0) return from;
  const to = knots[knot + 1];
  assert(to !== undefined, 'a position must be on its axis');
  return Number(between(from, to, share, scale).toPrecision(3));
}

/** Returns the values at all positions of an axis. */
export const axisValues = (axis: AtlasAxis): readonly number[] =>
  Array.from({ length: lastPosition(axis) + 1 }, (_, position) => axisValue(axis, position));

function between(from: number, to: number, share: number, scale: AtlasAxis['scale']): number {
  switch (scale) {
    case 'linear':
      return from + (to - from) * share;
    case 'log':
      return from * (to / from) ** share;
    case 'inverse': {
      const inverse = (value: number) => (value === 0 ? 0 : 1 / value);
      return 1 / (inverse(from) * (1 - share) + inverse(to) * share);
    }
  }
}

/** Value of each axis at a point. */
export type AtlasPlace = { readonly [Name in AtlasAxisName]: number };

export const placeOf = (axes: readonly AtlasAxis[], point: AtlasPoint): AtlasPlace =>
  Object.fromEntries(axes.map((axis, index) => [axis.name, axisValue(axis, point[index]!)])) as unknown as AtlasPlace;

/** Words of `lab ask` that describe a place: loss in percent, times in ms, rates in kb/s; without rate= when it is unlimited. */
export function placeWords({ loss, burst, rtt, jitter, budget, rate }: AtlasPlace): readonly string[] {
  return [
    `loss=${loss}%`,
    `burst=${burst}`,
    `rtt=${rtt}`,
    `jitter=${jitter}`,
    ...(rate > 0 ? [`rate=${rate}kbit`] : []),
    `budget=${budget}`,
  ];
}
