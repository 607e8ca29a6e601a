import { counter, gauge, type MetricFamily } from '../../io/metrics/metric-family.ts';
import type { SenderStatistics } from '../../sender/sender-statistics.ts';
import type { PlayerTotals } from '../player/player-totals.ts';
import type { StreamServerTotals } from '../stream/server-totals.ts';
import type { FollowedState, StreamServerStatus } from '../stream/stream-server.ts';

/** Figures of one kind of receiver. */
interface SentFigures {
  readonly frames: number;
  readonly packets: number;
  readonly bytes: number;
  readonly retransmissions?: number;
  readonly receivers?: { readonly present: number; readonly joined: number };
}

/** Players of one protocol. */
export interface WatchedPlayers {
  readonly totals: PlayerTotals;
  readonly sessions: readonly unknown[];
}

export interface ServedMetrics {
  readonly totals: StreamServerTotals;
  readonly status: Pick<
    StreamServerStatus,
    'connectionsRefused' | 'datagramsForeign' | 'positionSeconds' | 'adaptive'
  > & {
    readonly receivers: readonly {
      readonly statistics: Readonly<Pick<SenderStatistics, 'roundTrip' | 'reportedLoss'>>;
    }[];
  };
  /** Servers of players, by protocol, where they are served. */
  readonly watched?: Readonly<Record<string, WatchedPlayers | undefined>> | undefined;
}

/** Figures of a sender that serves receivers and players; receivers have no labels of their own, so that there are few. */
export function servedMetrics({ totals, status, watched = {} }: ServedMetrics): MetricFamily[] {
  const { receivers, connectionsRefused, datagramsForeign, positionSeconds, adaptive } = status;
  const served = { ...totals, receivers: { present: receivers.length, joined: totals.receivers } };
  return [
    ...sentMetrics('dropframe', served),
    ...Object.entries(watched).flatMap(([protocol, own]) => (own ? sentMetrics(protocol, figuresOf(own)) : [])),
    counter(
      'dropframe_send_wire_bytes_total',
      'UDP payload sent to dropframe receivers: media, retransmissions and repair packets.',
      totals.sentBytes,
    ),
    counter(
      'dropframe_send_delivered_bytes_total',
      'Of the wire bytes, those that receivers reported one by one (RFC 8888), with a source that follows.',
      totals.deliveredBytes,
    ),
    unsentFamily('dropframe', totals.refused),
    counter(
      'dropframe_send_connections_refused_total',
      'Control connections refused before they had shown anything.',
      connectionsRefused,
    ),
    counter(
      'dropframe_send_foreign_datagrams_total',
      'Datagrams to the media port from unknown addresses.',
      datagramsForeign,
    ),
    gauge(
      'dropframe_send_round_trip_max_seconds',
      'Longest round-trip time of the present receivers.',
      inSecondsMax(receivers.map(({ statistics }) => statistics.roundTrip)),
    ),
    gauge(
      'dropframe_send_reported_loss_max_ratio',
      'Highest share of packets lost in the last report of a present receiver.',
      maximum(receivers.map(({ statistics }) => statistics.reportedLoss)),
    ),
    positionFamily(positionSeconds),
    ...(adaptive ? followedMetrics(adaptive) : []),
  ];
}

const figuresOf = ({ totals, sessions }: WatchedPlayers): SentFigures => ({
  ...totals,
  receivers: { present: sessions.length, joined: totals.players },
});

export interface PlainSentMetrics {
  readonly protocol: 'rtp' | 'rtp+ts' | 'udp' | 'rist';
  readonly statistics: Readonly<Pick<SenderStatistics, 'frames' | 'packets' | 'bytes' | 'retransmissions'>>;
  /** Datagrams that the operating system refused to send. */
  readonly refused: number;
  readonly positionSeconds: number | undefined;
}

/** Figures of a sender to one address, of the pictures or of a multiplex. */
export function plainSentMetrics({ protocol, statistics, refused, positionSeconds }: PlainSentMetrics): MetricFamily[] {
  return [...sentMetrics(protocol, statistics), unsentFamily(protocol, refused), positionFamily(positionSeconds)];
}

function sentMetrics(protocol: string, sent: SentFigures): MetricFamily[] {
  const of = (value: number | undefined) => [[{ protocol }, value] as const];
  return [
    gauge('dropframe_send_receivers', 'Receivers that are present.', of(sent.receivers?.present)),
    counter('dropframe_send_receivers_joined_total', 'Receivers that have joined.', of(sent.receivers?.joined)),
    counter('dropframe_send_frames_total', 'Frames sent, to all receivers together.', of(sent.frames)),
    counter('dropframe_send_packets_total', 'Media packets sent, without retransmissions.', of(sent.packets)),
    counter('dropframe_send_media_bytes_total', 'UDP payload of the media packets.', of(sent.bytes)),
    counter('dropframe_send_retransmissions_total', 'Packets sent again on request.', of(sent.retransmissions)),
  ];
}

function followedMetrics({ bitrate, path, width, height }: FollowedState): MetricFamily[] {
  return [
    gauge('dropframe_send_target_bytes_per_second', 'Rate that the encoder is told.', bitrate / 8),
    gauge(
      'dropframe_send_path_bytes_per_second',
      "Rate of the video that the receivers' paths carry.",
      path === undefined ? undefined : path / 8,
    ),
    gauge('dropframe_send_picture_pixels', 'Size of the encoded picture.', width * height),
  ];
}

const positionFamily = (seconds: number | undefined): MetricFamily =>
  gauge('dropframe_send_position_seconds', 'Position in the source.', seconds);

const unsentFamily = (protocol: string, refused: number): MetricFamily =>
  counter('dropframe_send_unsent_datagrams_total', 'Datagrams that the operating system refused to send.', [
    [{ protocol }, refused],
  ]);

const inSecondsMax = (spans: readonly (number | undefined)[]): number | undefined => {
  const longest = maximum(spans);
  return longest === undefined ? undefined : longest / 1e6;
};

function maximum(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}
