import { byLabel, counter, gauge, type MetricFamily } from '../../io/metrics/metric-family.ts';
import type { Direction } from '../../sim/direction.ts';
import type { RelayDirectionReport, RelayReport } from '../relay/relay-report.ts';

/** Figures of a link: a relay, or the packets of a namespace, which has no clients. */
export type LinkFigures = Pick<RelayReport, 'forward' | 'back'> &
  Partial<Pick<RelayReport, 'clients' | 'receiveDrops'>>;

export function linkMetrics({ forward, back, clients, receiveDrops }: LinkFigures): MetricFamily[] {
  return [
    ...directionMetrics('forward', forward),
    ...directionMetrics('back', back),
    gauge('dropframe_link_clients', 'Clients with links of their own.', clients?.active),
    counter('dropframe_link_served_clients_total', 'Clients served.', clients?.served),
    counter(
      'dropframe_link_host_dropped_datagrams_total',
      'Datagrams that this machine dropped before the link could read them.',
      receiveDrops,
    ),
  ];
}

function directionMetrics(direction: Direction, way: RelayDirectionReport): MetricFamily[] {
  const of = { direction };
  const { delivered, lost, overflowed } = way;
  const lateness = way.latenessMs;
  return [
    counter('dropframe_link_offered_datagrams_total', 'Datagrams that entered the link.', [[of, way.offered]]),
    counter(
      'dropframe_link_datagrams_total',
      'Datagrams that left the link, duplicates included, by outcome.',
      byLabel('outcome', { delivered, lost, overflowed }, of),
    ),
    counter('dropframe_link_duplicated_datagrams_total', 'Datagrams that the link duplicated.', [[of, way.duplicated]]),
    counter('dropframe_link_corrupted_datagrams_total', 'Datagrams that the link corrupted.', [[of, way.corrupted]]),
    counter(
      'dropframe_link_refused_datagrams_total',
      'Datagrams that never entered the link: too many clients, or no memory.',
      [[of, way.refused]],
    ),
    counter(
      'dropframe_link_unsent_datagrams_total',
      'Delivered datagrams that the operating system or their destination refused.',
      [[of, way.sendErrors]],
    ),
    counter('dropframe_link_offered_bytes_total', 'Payload that entered the link.', [[of, way.offeredBytes]]),
    counter('dropframe_link_delivered_bytes_total', 'Payload that left the link.', [[of, way.deliveredBytes]]),
    gauge('dropframe_link_in_flight_datagrams', 'Datagrams in the link.', [[of, way.inFlight]]),
    gauge(
      'dropframe_link_lateness_seconds',
      'Lateness of departures, by percentile, since the start.',
      lateness &&
        Object.entries({ 50: lateness.p50, 99: lateness.p99, 100: lateness.max }).map(([percentile, ms]) => [
          { ...of, percentile },
          ms / 1_000,
        ]),
    ),
  ];
}
