import type { Flow } from './flow.ts';

/** `GSO_MAX_SIZE` less one and Linux' largest header: the most bytes handed to a device at once. */
const BURST_BYTES_MAX = 65_536 - 1 - 320;
/** One burst is a millisecond of the pacing rate (`sk_pacing_shift`: 2^-10 s). */
const BURSTS_A_SECOND = 1_024;
/** Below this many 512 µs of round trip a burst may be larger (`tcp_tso_rtt_log`). */
const NEAR_SHIFT = 9;

/** Segments that a paced sender sends at once (`tcp_tso_autosize`). */
export function burstSegments(flow: Flow, segmentsMin: number): number {
  let bytes = (flow.pacingRate || unpacedRate(flow)) / BURSTS_A_SECOND;
  const { minimum } = flow.roundTrip;
  if (minimum < 16 << NEAR_SHIFT) bytes += 65_536 / 2 ** Math.floor(minimum / (1 << NEAR_SHIFT));
  return Math.max(Math.floor(Math.min(bytes, BURST_BYTES_MAX) / flow.segmentBytes), segmentsMin);
}

/** What Linux reckons where it does not pace (`tcp_update_pacing_rate`): twice the rate of the window in slow start. */
function unpacedRate({ congestionWindow, slowStartThreshold, packetsOut, segmentBytes, roundTrip }: Flow): number {
  const gain = congestionWindow < slowStartThreshold / 2 ? 2 : 1.2;
  const segments = Math.max(congestionWindow, packetsOut);
  return (gain * segments * segmentBytes * 1_000_000) / Math.max(roundTrip.smoothed, 1);
}

/** The same without a near receiver's bonus, as BBR's budget reckons it (`bbr_tso_segs_goal`). */
export function burstSegmentsGoal(flow: Flow, segmentsMin: number): number {
  const bytes = Math.min(flow.pacingRate / BURSTS_A_SECOND, BURST_BYTES_MAX);
  return Math.min(Math.max(Math.floor(bytes / flow.segmentBytes), segmentsMin), 0x7f);
}
