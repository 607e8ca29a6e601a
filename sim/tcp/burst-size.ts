import { SECOND } from '../../protocol/base/units.ts';
import type { Flow } from './flow.ts';

/** Largest burst, bytes: `GSO_MAX_SIZE` − 1 − Linux' largest header. */
const BURST_BYTES_MAX = 65_536 - 1 - 320;
/** One burst covers about one millisecond of the pacing rate (`sk_pacing_shift`: 2^-10 s). */
const BURSTS_A_SECOND = 1_024;
/**
 * log2 of 512 µs: on short paths, bursts may be larger by a factor that halves per 512 µs of round-trip time
 * (`tcp_tso_rtt_log`).
 */
const NEAR_SHIFT = 9;

/** Returns the burst size of a paced sender, segments (`tcp_tso_autosize`). */
export function burstSegments(flow: Flow, segmentsMin: number): number {
  let bytes = (flow.pacingRate || unpacedRate(flow)) / BURSTS_A_SECOND;
  const { minimum } = flow.roundTrip;
  if (minimum < 16 << NEAR_SHIFT) bytes += 65_536 / 2 ** Math.floor(minimum / (1 << NEAR_SHIFT));
  return Math.max(Math.floor(Math.min(bytes, BURST_BYTES_MAX) / flow.segmentBytes), segmentsMin);
}

/**
 * Rate estimate of an unpaced flow (`tcp_update_pacing_rate`): twice the window rate in slow start, else 1.2 times;
 * bytes per second.
 */
function unpacedRate({ congestionWindow, slowStartThreshold, packetsOut, segmentBytes, roundTrip }: Flow): number {
  const gain = congestionWindow < slowStartThreshold / 2 ? 2 : 1.2;
  const segments = Math.max(congestionWindow, packetsOut);
  return (gain * segments * segmentBytes * SECOND) / Math.max(roundTrip.smoothed, 1);
}

/** Returns the burst size without the short-path bonus, as in BBR's budget (`bbr_tso_segs_goal`), segments. */
export function burstSegmentsGoal(flow: Flow, segmentsMin: number): number {
  const bytes = Math.min(flow.pacingRate / BURSTS_A_SECOND, BURST_BYTES_MAX);
  return Math.min(Math.max(Math.floor(bytes / flow.segmentBytes), segmentsMin), 0x7f);
}
