/**
 * SSRCs of RIST Simple Profile (VSF TR-06-1): a retransmission is a copy of its original, of which the least significant
 * bit of the SSRC is set.
 */
export const originalSsrc = (ssrc: number): number => (ssrc & ~1) >>> 0;

/** SSRC of the retransmissions of a stream. */
export const retransmissionSsrc = (ssrc: number): number => (ssrc | 1) >>> 0;
