import type { Microseconds } from '../../protocol/base/units.ts';
import { AdaptiveRate } from './adaptive-rate.ts';
import { Gcc } from './gcc/gcc.ts';
import { GCC_TRENDLINE } from './gcc/gcc-options.ts';
import { GuardedController } from './guarded-controller.ts';
import { MeasuredRate } from './measured-rate.ts';
import type { RateController } from './rate-controller.ts';
import { RateLimit } from './rate-limit.ts';
import { Scream } from './scream/scream.ts';
import { Scream2 } from './scream/scream2.ts';

/** Stream parameters passed to a rate controller. */
export interface RateTerms {
  /** Play-out delay above the fastest observed transit. */
  readonly latency: Microseconds;
}

/**
 * Rate controls by name, chosen by the sender alone. All but `limit` and `measured`, whose source cannot send less for
 * long, are guarded by a circuit breaker (RFC 8083).
 *
 * - `limit`: unlimited until the path is full, then slightly below its capacity; for a source that cannot follow.
 * - `measured`: the same, but where reports on single packets show a capacity that varies: there no frame is withheld,
 *   and retransmissions and repair are kept out of the queue. The default.
 * - `adaptive`: what the path carries in time for the deadline, for a source that follows `Sender.targetBitrate`.
 * - `gcc`: Google congestion control as published (draft-ietf-rmcat-gcc-02).
 * - `gcc-trendline`: the same with the delay filter that libwebrtc has in its place, without its probing.
 * - `scream`: SCReAM as published (RFC 8298).
 * - `scream2`: its successor as drafted (draft-johansson-ccwg-rfc8298bis-screamv2).
 */
export const RATE_CONTROLS = ['limit', 'measured', 'adaptive', 'gcc', 'gcc-trendline', 'scream', 'scream2'] as const;

/** Name of a rate control. */
export type RateControl = (typeof RATE_CONTROLS)[number];

const CONTROLLERS: { readonly [Name in RateControl]: (terms: RateTerms) => RateController } = {
  limit: () => new RateLimit(),
  measured: ({ latency }) => new MeasuredRate(latency),
  adaptive: ({ latency }) => new GuardedController(new AdaptiveRate(latency)),
  gcc: () => new GuardedController(new Gcc()),
  'gcc-trendline': () => new GuardedController(new Gcc(GCC_TRENDLINE)),
  scream: () => new GuardedController(new Scream()),
  scream2: () => new GuardedController(new Scream2()),
};

/** Creates the controller of one stream. */
export const createRateController = (name: RateControl, terms: RateTerms): RateController => CONTROLLERS[name](terms);
