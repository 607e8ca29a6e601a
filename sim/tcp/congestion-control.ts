import type { Instant, Microseconds } from '../../protocol/base/units.ts';
import type { Flow, RecoveryState } from './flow.ts';
import type { RateSample } from './rate-sample.ts';

/** Names as in Linux (`tcp_congestion_control`). */
export const CONGESTION_CONTROLS = ['reno', 'cubic', 'bbr'] as const;
/** Congestion control of the modelled TCP. */
export type CongestionControlName = (typeof CONGESTION_CONTROLS)[number];
/** The default, as on Linux. */
export const CONGESTION_CONTROL_DEFAULT: CongestionControlName = 'cubic';

/** Congestion control algorithm. Controls `congestionWindow`, `slowStartThreshold` and `pacingRate` of a flow. */
export interface CongestionControl {
  /**
   * True when the algorithm sets the window itself after each acknowledgment, also in recovery; disables proportional
   * rate reduction and restart after idle.
   */
  readonly ownsWindow: boolean;
  /** Minimum burst of a paced sender, segments. */
  readonly burstSegmentsMin: number;
  /** Called after each acknowledgment; only when `ownsWindow`. */
  control(now: Instant, sample: RateSample): void;
  /** Called when segments were acknowledged while the window was full; only unless `ownsWindow`. */
  grow(now: Instant, acknowledged: number): void;
  /** Returns the slow start threshold (and target window) after a loss, segments. */
  thresholdAfterLoss(): number;
  /** Returns the window to restore when a reduction was spurious, segments. */
  windowBeforeLoss(): number;
  /** The handshake has completed, and may have measured a round trip. */
  noteEstablished(): void;
  noteRoundTrip(now: Instant, sample: Microseconds): void;
  /** Called after the flow's state has changed. */
  noteState(now: Instant, state: RecoveryState): void;
  /** Called when sending resumes with nothing in flight. */
  noteTransmissionStart(now: Instant): void;
}

/**
 * Slow start (RFC 5681 §3.1), counting acknowledged segments. Returns the acknowledged segments beyond the threshold.
 */
export function slowStart(flow: Flow, acknowledged: number): number {
  const window = Math.min(flow.congestionWindow + acknowledged, flow.slowStartThreshold);
  const left = acknowledged - (window - flow.congestionWindow);
  flow.congestionWindow = window;
  return left;
}

/** Grows the window by one segment per `per` acknowledged segments. */
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
