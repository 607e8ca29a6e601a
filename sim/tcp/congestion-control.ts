import type { Instant, Microseconds } from '../../protocol/base/instant.ts';
import type { Flow, RecoveryState } from './flow.ts';
import type { RateSample } from './rate-sample.ts';

/** Names as Linux has them (`tcp_congestion_control`). */
export const CONGESTION_CONTROLS = ['reno', 'cubic', 'bbr'] as const;
export type CongestionControlName = (typeof CONGESTION_CONTROLS)[number];

/**
 * What decides how much may be in flight. Works on the flow's `congestionWindow`, `slowStartThreshold` and
 * `pacingRate`.
 */
export interface CongestionControl {
  /** It sets the window itself after each acknowledgment, in recovery too: no proportional rate reduction, no restart. */
  readonly ownsWindow: boolean;
  /** The fewest segments of one burst of a paced sender. */
  readonly burstSegmentsMin: number;
  /** After each acknowledgment; only where `ownsWindow`. */
  control(now: Instant, sample: RateSample): void;
  /** So many segments were acknowledged and the window was full; only where not `ownsWindow`. */
  grow(now: Instant, acknowledged: number): void;
  /** What the window falls to at a loss: the new slow start threshold. */
  thresholdAfterLoss(): number;
  /** The window to come back to when there was no loss. */
  windowBeforeLoss(): number;
  /** The handshake is over, and may have measured a round trip. */
  noteEstablished(): void;
  noteRoundTrip(now: Instant, sample: Microseconds): void;
  /** The flow's state is the new one already. */
  noteState(now: Instant, state: RecoveryState): void;
  /** Sending begins after everything was acknowledged. */
  noteTransmissionStart(now: Instant): void;
}

/** Slow start (RFC 5681 §3.1) with byte counting in segments; the acknowledged segments that are left over. */
export function slowStart(flow: Flow, acknowledged: number): number {
  const window = Math.min(flow.congestionWindow + acknowledged, flow.slowStartThreshold);
  const left = acknowledged - (window - flow.congestionWindow);
  flow.congestionWindow = window;
  return left;
}

/** One segment more for each `per` that were acknowledged. */
export function additiveIncrease(flow: Flow, per: number, acknowledged: number): void {
  if (flow.windowCount >= per) {
    flow.windowCount = 0;
    flow.congestionWindow++;
  }
  flow.windowCount += acknowledged;
  if (flow.windowCount < per) return;
  const more = Math.floor(flow.windowCount / per);
  flow.windowCount -= more * per;
  flow.congestionWindow += more;
}
