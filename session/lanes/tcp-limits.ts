import { seconds } from '../../protocol/base/units.ts';

/**
 * Time limit of the send queue: a frame that has waited half a minute is dropped, with all frames up to the next key
 * frame. A viewer has no use for a stream that late, and memory is limited.
 */
export const WAIT_MAX = seconds(30);
/** Bytes that TCP takes without having sent them. */
export const UNSENT_BYTES_MAX = 262_144;
