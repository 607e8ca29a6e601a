import { MORE_POINTS, POINTS, type Point } from '../point.ts';

/** All available points. */
export const PEER_POINTS: readonly Point[] = [...POINTS, ...MORE_POINTS];

/** Points of the comparison. */
export const POINTS_DEFAULT = 'ABCDEF';
