import { TokenBucket } from './token-bucket.ts';

/** Largest balance of the redundancy budget: retransmissions of one key frame. */
const REDUNDANCY_BYTES_MAX = 256_000;
/**
 * Initial balance of the redundancy budget: half a dozen packets, since a stream cannot start when one of its first is
 * lost. Once it is repaid, redundancy is never more than its share of everything sent.
 */
export const ADVANCE_BYTES = 8_000;
/** Budget of a fixed ratio: repair packets are slightly longer than media packets, and at most one per media packet. */
const FIXED_RATIO_SHARE = 1.2;

/**
 * Creates the budget that retransmissions and repair packets share.
 * @param strategy of the repair packets; `undefined` without them.
 * @param redundancy bytes allowed per byte of media, 0 … 1.
 */
export const redundancyBudget = (strategy: 'fec' | 'hybrid' | undefined, redundancy: number): TokenBucket =>
  new TokenBucket({
    share: strategy === 'fec' ? FIXED_RATIO_SHARE : redundancy,
    bytesMax: REDUNDANCY_BYTES_MAX,
    ...(strategy && { advance: ADVANCE_BYTES }),
  });
