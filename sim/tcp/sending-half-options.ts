import type { Microseconds } from '../../protocol/base/units.ts';
import type { ByteSequence } from './byte-sequence.ts';
import type { CongestionControlName } from './congestion-control.ts';

export interface SendingHalfOptions {
  /** Payload of a full segment, bytes. */
  readonly segmentBytes: number;
  /** Position of the first byte: one after the SYN. */
  readonly start: ByteSequence;
  readonly congestionControl: CongestionControlName;
  readonly seed: number;
  readonly marksBursts: boolean;
  readonly timerTick: Microseconds;
}
