import type { Microseconds } from '../../protocol/base/instant.ts';
import type { ByteSequence } from './byte-sequence.ts';
import type { CongestionControlName } from './congestion-control.ts';

export interface SendingHalfOptions {
  /** Payload bytes of a full segment. */
  readonly segmentBytes: number;
  /** The place of the first byte: one after the SYN's. */
  readonly start: ByteSequence;
  readonly congestionControl: CongestionControlName;
  readonly seed: number;
  readonly marksBursts: boolean;
  readonly timerTick: Microseconds;
}
