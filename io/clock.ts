import { performance } from 'node:perf_hooks';
import type { Instant } from '../protocol/instant.ts';

/** This process's monotonic clock, the only one that the endpoints are driven by. */
export const now = (): Instant => Math.round(performance.now() * 1_000);
