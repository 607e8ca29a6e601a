import { COUNT_MAX, SPAN_MS_MAX, type StatisticsMessage } from '../../protocol/control/control-message.ts';
import type { ReceiverStatistics } from '../../receiver/receiver-statistics.ts';

/** Returns a receiver's report on the control connection. @param hostDrops datagrams that its machine has dropped */
export function statisticsMessage(statistics: ReceiverStatistics, hostDrops = 0): StatisticsMessage {
  const { frames, packets, playoutDelay, roundTrip } = statistics;
  const ms = (span: number | undefined) => (span === undefined ? null : Math.min(span / 1_000, SPAN_MS_MAX));
  // These counts include the peer's claims; clamp them so that our message stays valid.
  const count = (value: number) => Math.min(value, COUNT_MAX);
  return {
    kind: 'statistics',
    frames: count(frames.decided),
    framesLost: count(frames.incomplete + frames.neverArrived + frames.undecodable),
    framesLate: count(frames.late + frames.mended + frames.overdue),
    packets: count(packets.decided),
    packetsLost: count(packets.neverArrived + packets.late),
    packetsRecovered: count(packets.recoveredInRound.reduce((sum, each) => sum + each, packets.repaired)),
    delayMsP50: ms(playoutDelay.p50),
    delayMsP95: ms(playoutDelay.p95),
    roundTripMs: ms(roundTrip),
    ...(hostDrops > 0 ? { hostDrops: count(hostDrops) } : {}),
  };
}
