import { type BenchPoint, MORE_POINTS, POINTS } from '../point.ts';

/** All available points. */
export const PEER_POINTS: readonly BenchPoint[] = [...POINTS, ...MORE_POINTS];

/** Points of the comparison. */
export const POINTS_DEFAULT = 'ABCDEF';
