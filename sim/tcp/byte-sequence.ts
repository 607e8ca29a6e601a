/**
 * A place in the byte stream of one direction of a connection (RFC 9293 §3.4), counted from the initial sequence number
 * on without rolling over. SYN and FIN count as a byte each. Inside, `<` is right.
 */
export type ByteSequence = number;

/** The same as it is on the wire: 0…2^32-1, then 0 again. Never compared. */
export type WireByteSequence = number;

export const wireByteSequence = (sequence: ByteSequence): WireByteSequence => sequence >>> 0;

/** The place nearest to `reference` that reads `wire` on the wire; at half the ring away, the older one. */
export const extendByteSequence = (wire: WireByteSequence, reference: ByteSequence): ByteSequence =>
  reference + ((wire - wireByteSequence(reference)) | 0);
