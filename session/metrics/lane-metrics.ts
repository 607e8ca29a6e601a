import type { HeldCounters } from '../../io/metrics/held-counters.ts';
import { byLabel, counter, gauge, type MetricFamily, type MetricLabels } from '../../io/metrics/metric-family.ts';
import type { LaneFigures, LaneRates, LaneSettings } from '../../protocol/page/lane-message.ts';

export interface LaneMetrics {
  readonly settings: LaneSettings;
  readonly figures: LaneFigures | undefined;
  readonly rates: LaneRates | undefined;
}

/**
 * Figures of the lanes of the page. Counters of a lane begin again with its settings.
 * @param held counters of the calls before.
 */
export function laneMetrics(lanes: readonly LaneMetrics[], viewers: number, held: HeldCounters): MetricFamily[] {
  return [
    gauge('dropframe_lane_viewers', 'Windows that show the page.', viewers),
    ...lanes.flatMap((lane, index) =>
      held.hold(oneLane({ lane: String(index + 1), ...kindOf(lane.settings) }, lane), lane.figures?.run),
    ),
  ];
}

const kindOf = ({ transport, recovery, follows, congestionControl }: LaneSettings): MetricLabels => ({
  transport,
  recovery: transport === 'udp' ? recovery : congestionControl,
  follows: String(follows === true),
});

function oneLane(of: MetricLabels, { figures, rates }: LaneMetrics): MetricFamily[] {
  if (!figures) return [];
  const { framesOnTime: onTime, framesRecovered: recovered, framesLate: late, framesMended: mended } = figures;
  const { packets: media, packetsAgain: retransmitted, packetsRepair: repair, mediaBytes, pathBytes } = figures;
  const { lagMsP50, lagMsP95 } = figures;
  const lags = Object.entries({ 50: lagMsP50, 95: lagMsP95 });
  return [
    counter(
      'dropframe_lane_frames_total',
      'Frames of a lane, by class.',
      byLabel('class', { onTime, recovered, late, mended, lost: figures.framesLost }, of),
    ),
    counter('dropframe_lane_shown_frames_total', 'Frames shown.', [[of, figures.framesShown]]),
    counter('dropframe_lane_damaged_frames_total', 'Frames shown damaged.', [[of, figures.framesDamaged]]),
    counter('dropframe_lane_freezes_total', 'Freezes (W3C webrtc-stats).', [[of, figures.freezes]]),
    counter(
      'dropframe_lane_packets_total',
      'Packets that entered the link, by kind.',
      byLabel('kind', { media, retransmitted, repair }, of),
    ),
    counter('dropframe_lane_lost_packets_total', 'Media packets that the link lost.', [[of, figures.packetsLost]]),
    counter('dropframe_lane_media_bytes_total', 'Video sent, without headers.', [[of, mediaBytes]]),
    counter('dropframe_lane_path_bytes_total', 'Bytes that entered the link, headers included.', [[of, pathBytes]]),
    gauge(
      'dropframe_lane_lag_seconds',
      'Time from the delivery of a frame by the source until it is shown, by percentile.',
      lags.map(([percentile, ms]) => [{ ...of, percentile }, ms === null ? null : ms / 1_000]),
    ),
    gauge('dropframe_lane_delivered_bytes_per_second', 'Rate at which bytes left the link.', [
      [of, rates && rates.delivered / 8],
    ]),
  ];
}
