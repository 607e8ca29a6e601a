import type { Plain, Ticks, Unit } from '../base/units.ts';

/**
 * Numbers that roll over on the wire and are counted on inside (RFC 3550 §A.1). The roll-over is undone once, at the
 * admission; a wire number is never compared or sorted.
 */

/** An RTP sequence number as it is on the wire (RFC 3550 §5.1): 0…65535, then 0 again. */
export type WireSequence = Unit<'wire sequence'>;

/** A sequence number counted on without rolling over. May be negative: older than what the count began with. */
export type Sequence = Unit<'sequence'>;

/** An RTP timestamp as it is on the wire (RFC 3550 §5.1): 0…2^32-1, then 0 again. */
export type WireTimestamp = Unit<'wire timestamp'>;

/** Brands a number as a sequence number: any count, or a number from the wire that a count begins with. */
export const asSequence = (n: Plain | Sequence | WireSequence): Sequence => n as number as Sequence;

/** The 16 bits of a sequence number that are on the wire. */
export const wireSequence = (sequence: Plain | Sequence | WireSequence): WireSequence =>
  (sequence & 0xffff) as WireSequence;

/** The 32 bits of a tick count that are on the wire. */
export const wireTimestamp = (ticks: Plain | Ticks | WireTimestamp): WireTimestamp => (ticks >>> 0) as WireTimestamp;

/**
 * The short way round the ring from one sequence number to another: -32768…32767, positive when `to` is newer.
 * Exactly half the ring away counts as older, so that a stray packet never moves the count forward by half a ring.
 */
export const distance = (from: WireSequence, to: WireSequence): number => ((to - from) << 16) >> 16;

/** The same on the ring of 32 bits: -2^31…2^31-1. */
export const timestampDistance = (from: WireTimestamp, to: WireTimestamp): Ticks => ((to - from) | 0) as Ticks;

/** The sequence number nearest to `reference` that reads `wire` on the wire. */
export const extend = (wire: WireSequence, reference: Sequence): Sequence =>
  (reference + distance(wireSequence(reference), wire)) as Sequence;

/** The tick count nearest to `reference` that reads `wire` on the wire. */
export const extendTimestamp = (wire: WireTimestamp, reference: Ticks): Ticks =>
  (reference + timestampDistance(wireTimestamp(reference), wire)) as Ticks;

/** The same for frame numbers, which roll over as sequence numbers do. */
export const extendFrameNumber = (wire: number, reference: number): number =>
  reference + (((wire - reference) << 16) >> 16);
