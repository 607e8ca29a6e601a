import { MORE_POINTS, POINTS, type Point } from '../point.ts';
import { PAYLOAD_RATE } from './workload.ts';

/** Half of what the stream needs, and nothing can be done but to choose. */
const BOTTLENECK: Point = {
  name: 'F',
  forward: `rate=${PAYLOAD_RATE / 2_000}kbit queue=100ms delay=20ms`,
  back: 'delay=20ms',
  budgetMs: 140,
  oneWayMs: 20,
  release: 'deadline',
};

/** Every point that can be asked for. */
export const PEER_POINTS: readonly Point[] = [...POINTS, BOTTLENECK, ...MORE_POINTS];

/** Those of the comparison. */
export const POINTS_DEFAULT = 'ABCDE';
