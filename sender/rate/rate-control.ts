import type { Microseconds } from '../../protocol/base/units.ts';
import type { RateController } from './rate-controller.ts';
import { RateLimit } from './rate-limit.ts';

/** What a rate controller knows of its stream. */
export interface RateTerms {
  /** Play-out delay above the fastest observed transit. */
  readonly latency: Microseconds;
}

/**
 * Rate controls by name, chosen by the sender alone.
 *
 * - `limit`: none until the path is full, then slightly less than it carries; for a source that cannot follow.
 */
export const RATE_CONTROLS = ['limit'] as const;

/** Name of a rate control. */
export type RateControl = (typeof RATE_CONTROLS)[number];

const CONTROLLERS: { readonly [Name in RateControl]: (terms: RateTerms) => RateController } = {
  limit: () => new RateLimit(),
};

/** Creates the controller of one stream. */
export const createRateController = (name: RateControl, terms: RateTerms): RateController => CONTROLLERS[name](terms);
