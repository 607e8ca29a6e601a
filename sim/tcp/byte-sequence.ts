/**
 * Position in the byte stream of one direction of a connection (RFC 9293 §3.4), counted from the initial sequence
 * number without wrap-around. SYN and FIN each occupy one position. Values are ordered by `<`.
 */
export type ByteSequence = number;

/** Sequence number on the wire, modulo 2^32. Never compared. */
export type WireByteSequence = number;

export const wireByteSequence = (sequence: ByteSequence): WireByteSequence => sequence >>> 0;

/** Returns the position nearest to `reference` with the given wire value; the older one when two are equally near. */
export const extendByteSequence = (wire: WireByteSequence, reference: ByteSequence): ByteSequence =>
  reference + ((wire - wireByteSequence(reference)) | 0);
