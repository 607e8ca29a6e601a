import type { Plain, Ticks, Unit } from '../base/units.ts';

/**
 * Sequence numbers and timestamps: wrapped on the wire, extended inside (RFC 3550 §A.1). They are extended once, on
 * admission; wire numbers are never compared or sorted.
 */

/** RTP sequence number on the wire (RFC 3550 §5.1), modulo 65536. */
export type WireSequence = Unit<'wire sequence'>;

/** Extended sequence number; does not wrap. Negative for packets before the first one that was counted. */
export type Sequence = Unit<'sequence'>;

/** RTP timestamp on the wire (RFC 3550 §5.1), modulo 2^32. */
export type WireTimestamp = Unit<'wire timestamp'>;

/** Brands a number as an extended sequence number: a count, or the wire number at which counting starts. */
export const asSequence = (n: Plain | Sequence | WireSequence): Sequence => n as number as Sequence;

/** Returns the low 16 bits of a sequence number. */
export const wireSequence = (sequence: Plain | Sequence | WireSequence): WireSequence =>
  (sequence & 0xffff) as WireSequence;

/** Returns the low 32 bits of a tick count. */
export const wireTimestamp = (ticks: Plain | Ticks | WireTimestamp): WireTimestamp => (ticks >>> 0) as WireTimestamp;

/**
 * Signed distance between two sequence numbers: -32768…32767, positive when `to` is newer. A distance of exactly half
 * the range counts as older, so that a stray packet never advances the count by half the range.
 */
export const distance = (from: WireSequence, to: WireSequence): number => ((to - from) << 16) >> 16;

/** Signed distance between two timestamps: -2^31…2^31-1, positive when `to` is newer. */
export const timestampDistance = (from: WireTimestamp, to: WireTimestamp): Ticks => ((to - from) | 0) as Ticks;

/** Returns the extended sequence number nearest to `reference` whose low 16 bits are `wire`. */
export const extend = (wire: WireSequence, reference: Sequence): Sequence =>
  (reference + distance(wireSequence(reference), wire)) as Sequence;

/** Returns the tick count nearest to `reference` whose low 32 bits are `wire`. */
export const extendTimestamp = (wire: WireTimestamp, reference: Ticks): Ticks =>
  (reference + timestampDistance(wireTimestamp(reference), wire)) as Ticks;

/** Like `extend`, for frame numbers, which are also 16 bits wide. */
export const extendFrameNumber = (wire: number, reference: number): number =>
  reference + (((wire - reference) << 16) >> 16);
