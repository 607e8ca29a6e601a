import { HeldCounters } from '../../../io/metrics/held-counters.ts';
import type { MetricFamily } from '../../../io/metrics/metric-family.ts';
import { processMetrics } from '../../../io/metrics/process-metrics.ts';
import { Histogram } from '../../../protocol/base/histogram.ts';
import { instant, microseconds } from '../../../protocol/base/units.ts';
import { Receiver } from '../../../receiver/receiver.ts';
import { emptySenderStatistics } from '../../../sender/sender-statistics.ts';
import { LaneRecord } from '../../../session/lanes/lane-record.ts';
import { type LaneMetrics, laneMetrics } from '../../../session/metrics/lane-metrics.ts';
import { linkMetrics } from '../../../session/metrics/link-metrics.ts';
import { receiverMetrics } from '../../../session/metrics/receiver-metrics.ts';
import { plainSentMetrics, servedMetrics } from '../../../session/metrics/sender-metrics.ts';
import { DirectionTotal, directionReport } from '../../../session/relay/relay-report.ts';
import { summarizeRun } from '../../../session/run/run-summary.ts';
import { noTotals } from '../../../session/stream/server-totals.ts';
import { CLEAN_LINK } from '../../../sim/link/clean-link.ts';
import { RECEIVER_OPTIONS } from '../../simulated-session.ts';

const session = {
  ...new Receiver(RECEIVER_OPTIONS).statistics,
  roundTrip: microseconds(40_000),
  playoutDelay: {
    p50: microseconds(120_000),
    p95: microseconds(121_000),
    p99: microseconds(122_000),
    max: microseconds(125_000),
  },
  completionDelay: {
    p50: microseconds(5_000),
    p95: microseconds(6_000),
    p99: microseconds(7_000),
    max: microseconds(9_000),
  },
};

/** Summary of a receiver with sound and a recording. */
export const receivedSummary = summarizeRun([session], {
  transport: 'udp',
  transports: ['udp'],
  sessionCauses: ['first'],
  encrypted: true,
  recovery: 'hybrid',
  latencyMs: 120,
  link: undefined,
  media: undefined,
  durationSeconds: 1,
  ipv6: false,
  stalledFor: microseconds(1_500_000),
  segments: undefined,
  modeledTcp: undefined,
  hostFaults: { drops: 4, refusedHere: 2, refusedBySender: 3, notAuthentic: 5 },
  sound: { sessions: [session], concealedMs: 250 },
  recordedFrames: 90,
});

export const received = (): MetricFamily[] => receiverMetrics(receivedSummary, 800_000, new HeldCounters());

/** Figures of a sender whose source follows two receivers, and of players. */
export const served = (): MetricFamily[] =>
  servedMetrics({
    totals: { ...noTotals(), receivers: 3, frames: 10, meanTarget: undefined, followedSeconds: 0 },
    status: {
      receivers: [
        { statistics: { roundTrip: microseconds(20_000), reportedLoss: 0.01 } },
        { statistics: { roundTrip: microseconds(50_000), reportedLoss: undefined } },
      ],
      connectionsRefused: 1,
      datagramsForeign: 2,
      positionSeconds: 12.5,
      adaptive: { bitrate: 800_000, path: 1_600_000, rates: undefined, width: 640, height: 360, preset: 'veryfast' },
    },
    watched: {
      rtsp: { totals: { players: 4, frames: 20, packets: 30, bytes: 40, retransmissions: 0 }, sessions: [{}] },
      whep: { totals: { players: 1, frames: 20, packets: 30, bytes: 40, retransmissions: 5 }, sessions: [] },
    },
  });

const lateness = new Histogram();
lateness.add(microseconds(300));
const counters = { ...new DirectionTotal().sum, offered: 10, delivered: 8, lost: 2, lossRuns: 1, deliveredBytes: 800 };
const way = directionReport({ link: CLEAN_LINK, counters, lateness, refused: 0, sendErrors: 0 });

export const relayed = (): MetricFamily[] =>
  linkMetrics({ forward: way, back: way, clients: { active: 1, served: 2, expired: 1 }, receiveDrops: 0 });

const record = new LaneRecord();
record.frameShown(instant(30_000), instant(0));
export const lane: LaneMetrics = {
  settings: { transport: 'udp', recovery: 'hybrid', congestionControl: 'cubic', latencyMs: 200, onLoss: 'freeze' },
  figures: {
    ...{ run: 0, seconds: 1, stalledForMs: 0, ...record.figures(2_000, 0) },
    ...{ framesOnTime: 1, framesRecovered: 0, framesLate: 0, framesMended: 0, framesLost: 0 },
  },
  rates: { run: 0, target: null, sent: 8_000, delivered: 7_200 },
};
const tcp: LaneMetrics = { ...lane, settings: { ...lane.settings, transport: 'tcp' } };

export const lanes = (): MetricFamily[] => laneMetrics([lane, tcp], 2, new HeldCounters());

export const plain = (protocol: 'rtp' | 'udp' | 'rtp+ts'): MetricFamily[] =>
  plainSentMetrics({ protocol, statistics: { ...emptySenderStatistics(), frames: 7 }, refused: 0, positionSeconds: 1 });

/** All families, each with a value. */
export const allMetrics = (): MetricFamily[] => [
  ...served(),
  ...plain('rtp'),
  ...received(),
  ...relayed(),
  ...lanes(),
  ...processMetrics('0.0.0'),
];
