import type { Microseconds } from '../../protocol/base/instant.ts';
import type { LinkSpecification } from './link-specification.ts';

/** No limit on the queueing time. */
export const UNLIMITED: Microseconds = Number.MAX_SAFE_INTEGER;

/** A link without impairments. `queue` applies only once a rate is set. */
export const CLEAN_LINK: LinkSpecification = {
  loss: 0,
  burst: 1,
  delay: 0,
  jitter: 0,
  order: 'free',
  duplicate: 0,
  corrupt: 0,
  rate: 0,
  queue: 200_000,
  seed: 1,
};
