import type { Microseconds } from '../../protocol/base/instant.ts';
import type { LinkSpecification } from './link-specification.ts';

/** A queue that no time limits. */
export const UNLIMITED: Microseconds = Number.MAX_SAFE_INTEGER;

/** A path that does nothing to what it carries. */
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
