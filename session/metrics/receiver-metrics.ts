import type { HeldCounters } from '../../io/metrics/held-counters.ts';
import { byLabel, counter, gauge, type MetricFamily } from '../../io/metrics/metric-family.ts';
import type { FrameSummary, PacketSummary } from '../run/class-summary.ts';
import type { DelaySummary, RunSummary } from '../run/run-summary.ts';

/**
 * Figures of a receiver, from the summary of its run so far.
 * @param held counters of the calls before.
 */
export const receiverMetrics = (summary: RunSummary, bitrate: number | null, held: HeldCounters): MetricFamily[] =>
  held.hold(families(summary, bitrate));

function families(summary: RunSummary, bitrate: number | null): MetricFamily[] {
  const { sound, bytes, sendsRefused } = summary;
  const { headersCounted: _, ...layers } = bytes;
  return [
    ...streamMetrics('pictures', summary),
    ...(sound ? streamMetrics('sound', sound) : []),
    counter(
      'dropframe_receive_concealed_seconds_total',
      'Sound that was lost or late, and concealed.',
      sound && sound.concealedMs / 1_000,
    ),
    counter(
      'dropframe_receive_withheld_frames_total',
      'Frames that the sender withheld because they exceeded the path; in no other class.',
      summary.framesWithheld,
    ),
    counter('dropframe_receive_recorded_frames_total', 'Frames written to the recording.', summary.recordedFrames),
    counter('dropframe_receive_key_frame_requests_total', 'Key frames requested.', summary.keyFrameRequests),
    counter(
      'dropframe_receive_discarded_datagrams_total',
      'Datagrams that were not used, by the reason.',
      byLabel('reason', {
        duplicate: summary.duplicates,
        foreign: summary.foreign,
        malformed: summary.malformed,
        notAuthentic: summary.notAuthentic ?? 0,
      }),
    ),
    counter(
      'dropframe_receive_host_dropped_datagrams_total',
      'Datagrams that this machine dropped before they were read.',
      summary.hostDrops,
    ),
    counter(
      'dropframe_receive_unsent_datagrams_total',
      'Datagrams that the operating system of an end refused to send.',
      byLabel('end', sendsRefused),
    ),
    counter(
      'dropframe_receive_bytes_total',
      'Bytes of the pictures shown, and of the headers of their packets, by layer.',
      byLabel('layer', layers),
    ),
    counter('dropframe_receive_sessions_total', 'Sessions with the sender, including the first.', summary.sessions),
    gauge(
      'dropframe_receive_bytes_per_second',
      'Recent rate of the media, with RTP headers.',
      bitrate === null ? null : bitrate / 8,
    ),
    gauge('dropframe_receive_latency_seconds', 'Play-out delay above the fastest transit.', summary.latencyMs / 1_000),
    delayFamily('dropframe_receive_playout_delay_seconds', 'release of a frame', summary.playoutDelayMs),
    delayFamily('dropframe_receive_completion_delay_seconds', 'last packet of a frame', summary.completionDelayMs),
    gauge('dropframe_receive_round_trip_seconds', 'Round-trip time.', inSeconds(summary.roundTripMs)),
    gauge('dropframe_receive_jitter_seconds', 'Interarrival jitter (RFC 3550).', summary.jitterMs / 1_000),
    gauge('dropframe_receive_stalled_seconds', 'Duration of the present stall.', summary.stalledForMs / 1_000),
  ];
}

interface StreamFigures {
  readonly frames: FrameSummary;
  readonly packets: PacketSummary;
  readonly requests: number;
}

function streamMetrics(stream: 'pictures' | 'sound', { frames, packets, requests }: StreamFigures): MetricFamily[] {
  const { total: _frames, ...frameClasses } = frames;
  const { total: _packets, recoveredInRound, ...packetClasses } = packets;
  const retransmitted = recoveredInRound.reduce((sum, count) => sum + count, 0);
  const of = { stream };
  return [
    counter('dropframe_receive_frames_total', 'Frames, by class.', byLabel('class', { ...frameClasses }, of)),
    counter(
      'dropframe_receive_packets_total',
      'Packets of the media, by class.',
      byLabel('class', { ...packetClasses, retransmitted }, of),
    ),
    counter('dropframe_receive_requests_total', 'Packets requested again.', [[of, requests]]),
  ];
}

const delayFamily = (name: string, what: string, { p50, p95, p99 }: DelaySummary): MetricFamily =>
  gauge(
    name,
    `Time from the fastest transit to the ${what}, in this session, by percentile.`,
    Object.entries({ 50: p50, 95: p95, 99: p99 }).map(([percentile, value]) => [{ percentile }, inSeconds(value)]),
  );

const inSeconds = (milliseconds: number | null): number | null => (milliseconds === null ? null : milliseconds / 1_000);
