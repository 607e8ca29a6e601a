/**
 * The two ECN bits of an IP header (RFC 3168 §5, RFC 9331 §4): 0 not ECN-capable, 1 ECT(1), which asks for L4S
 * treatment, 2 ECT(0), 3 congestion experienced (CE).
 */
export type Ecn = 0 | 1 | 2 | 3;

export const NOT_ECT: Ecn = 0;
export const ECT_1: Ecn = 1;
export const ECT_0: Ecn = 2;
export const CE: Ecn = 3;
