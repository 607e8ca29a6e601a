import { type Interval, meanInterval, wilson } from '../report/interval.ts';
import type { RtpStream } from './rtp-streams.ts';

/** Figures of the receiver reports at the sender, where no packet is missing. */
export interface ReportFit {
  readonly loss: Interval;
  readonly expected: number;
  readonly lost: number;
  readonly reports: number;
  /** Interarrival jitter (RFC 3550 §6.4.1), microseconds: the median of the reports. */
  readonly jitterUs: number;
}

const REPORTS_MIN = 3;

/** Loss and jitter from receiver reports; `undefined` with fewer than three. */
export function fitReports({ reports }: RtpStream, clockRate: number): ReportFit | undefined {
  const own = [...reports].sort((one, other) => one.atUs - other.atUs);
  const shares: number[] = [];
  let [expected, lost] = [0, 0];
  for (let index = 1; index < own.length; index++) {
    const more = own[index]!.highestSequence - own[index - 1]!.highestSequence;
    // A report that arrives after a later one, or after a restart, is left out.
    if (more <= 0 || more > 0x8000) continue;
    const missed = own[index]!.cumulativeLost - own[index - 1]!.cumulativeLost;
    expected += more;
    lost += missed;
    shares.push(missed / more);
  }
  if (shares.length < REPORTS_MIN) return undefined;
  const jitters = own.map(({ jitter }) => jitter).sort((one, other) => one - other);
  // Losses come in bursts of unknown length: the interval is that of the reports, unless it is narrower than chance.
  const [byReports, byPackets] = [meanInterval(shares), wilson(Math.max(0, lost), expected)];
  const loss = {
    value: lost / expected,
    low: Math.max(0, Math.min(byReports.low, byPackets.low)),
    high: Math.min(1, Math.max(byReports.high, byPackets.high)),
  };
  return { loss, expected, lost, reports: own.length, jitterUs: (jitters[jitters.length >> 1]! * 1e6) / clockRate };
}
