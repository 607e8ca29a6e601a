import { type Microseconds, microseconds, milliseconds } from '../../protocol/base/units.ts';
import type { LinkSpecification } from './link-specification.ts';

/** No limit on the queueing time. */
export const UNLIMITED: Microseconds = microseconds(Number.MAX_SAFE_INTEGER);

/** A link without impairments. `queue` applies only once a rate is set. */
export const CLEAN_LINK: LinkSpecification = {
  loss: 0,
  burst: 1,
  delay: microseconds(0),
  jitter: microseconds(0),
  order: 'free',
  duplicate: 0,
  corrupt: 0,
  rate: 0,
  queue: milliseconds(200),
  seed: 1,
};
