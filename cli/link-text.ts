import { alignedText } from '../lab/report/text-table.ts';
import type { RelayDirectionReport, RelayReport } from '../session/relay/relay-report.ts';
import type { Direction } from '../sim/direction.ts';
import type { Status } from './status-text.ts';

const percent = (share: number | null): string => (share === null ? '–' : `${(share * 100).toFixed(2)} %`);
const megabits = (rate: number): string => `${(rate / 1e6).toFixed(2)} Mb/s`;
const count = (value: number, noun: string): string => `${value} ${noun}${value === 1 ? '' : 's'}`;

type TwoWays = Pick<RelayReport, 'durationSeconds' | 'forward' | 'back'>;

/** Figures of both directions, the most telling first. Rates are averages since `before`, or since the start. */
export function waysStatus(now: TwoWays, before: TwoWays | undefined): Status {
  const seconds = now.durationSeconds - (before?.durationSeconds ?? 0);
  const way = (name: Direction): string => {
    const { offeredBytes, lossShare } = now[name];
    const rate = seconds > 0 ? ((offeredBytes - (before?.[name].offeredBytes ?? 0)) * 8) / seconds : 0;
    return `${name} ${percent(lossShare)} lost, ${megabits(rate)}`;
  };
  return [
    way('forward'),
    way('back'),
    `${now.forward.inFlight} + ${now.back.inFlight} in flight`,
    `${now.forward.offered} + ${now.back.offered} offered`,
  ];
}

/** Returns a function that describes a running relay, with rates since its last call. */
export function relayStatus(report: () => RelayReport): () => Status | undefined {
  let before = report();
  return () => {
    const now = report();
    const status = [...waysStatus(now, before), count(now.clients.active, 'client')];
    before = now;
    return now.clients.served === 0 ? undefined : status;
  };
}

/** Formats the report of a relay for people. */
export function relayReportText(report: RelayReport): string {
  const { clients, receiveDrops } = report;
  const lines: [string, string][] = [
    ['relay', `${report.listen} to ${report.to}, ${report.durationSeconds.toFixed(1)} s`],
    ['clients', `${clients.served} served, ${clients.expired} of them timed out`],
    ...directionLines('forward', report.forward),
    ...directionLines('back', report.back),
  ];
  if (receiveDrops !== null && receiveDrops > 0) {
    lines.push(['note', `${receiveDrops} datagrams were dropped by this machine before the relay could read them`]);
  }
  return alignedText(lines);
}

/** Describes one direction as labelled lines: what was offered, delivered, lost and delayed. */
export function directionLines(name: string, way: RelayDirectionReport): [string, string][] {
  if (way.offered === 0 && way.refused === 0) {
    return [
      [`link ${name}`, way.link],
      [name, 'no datagrams'],
    ];
  }
  const burst = way.burstMean === null ? '' : `, mean burst ${way.burstMean.toFixed(2)}`;
  const lines: [string, string][] = [
    [`link ${name}`, way.link],
    [
      name,
      `${way.offered} offered + ${way.duplicated} duplicated = ${way.delivered} delivered + ${way.lost} lost + ` +
        `${way.overflowed} overflowed + ${way.inFlight} in flight; ${way.corrupted} corrupted`,
    ],
    ['', `${kilobytes(way.offeredBytes)} offered, ${kilobytes(way.deliveredBytes)} delivered`],
    ['', `${percent(way.lossShare)} lost${burst}; ${latenessText(way.latenessMs)}`],
  ];
  if (way.refused > 0) lines.push(['', `${way.refused} refused: too many clients, or too much in flight`]);
  if (way.sendErrors > 0)
    lines.push(['', `${way.sendErrors} of the delivered datagrams were refused by their destination`]);
  return lines;
}

const kilobytes = (bytes: number): string => `${(bytes / 1_000).toFixed(bytes < 100_000 ? 1 : 0)} kB`;

function latenessText(lateness: RelayDirectionReport['latenessMs']): string {
  if (lateness === null) return 'no departures';
  const [p50, p99, max] = [lateness.p50, lateness.p99, lateness.max].map((value) => value.toFixed(2));
  return `left late by p50 ${p50} ms, p99 ${p99} ms, max ${max} ms`;
}
