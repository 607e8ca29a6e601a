import { MORE_POINTS, POINTS, type Point } from '../point.ts';

/** Every point that can be asked for. */
export const PEER_POINTS: readonly Point[] = [...POINTS, ...MORE_POINTS];

/** Those of the comparison. */
export const POINTS_DEFAULT = 'ABCDEF';
