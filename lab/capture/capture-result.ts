import { Failure } from '../../io/os/failure.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import type { Interval } from '../report/interval.ts';
import { checkFit, type FitCheck } from './check-fit.ts';
import { DUPLICATE_SHARE_MAX, fitPath, type PathFit } from './fit-path.ts';
import { fittedLine, fittedLink } from './fitted-link.ts';
import type { OpenedCapture } from './open-capture.ts';
import { fitReports, type ReportFit } from './report-fit.ts';

/** A line of the answer: what was measured, with its interval, or why it could not be told. */
export interface CaptureFinding {
  readonly name: string;
  readonly value: string;
  readonly interval: string;
  readonly note: string;
}

/** The answer to a capture. */
export interface CaptureResult {
  readonly fit: PathFit;
  readonly link: LinkSpecification;
  readonly line: string;
  readonly check: FitCheck;
  readonly reports: ReportFit | undefined;
  readonly findings: readonly CaptureFinding[];
  /** Properties of a link that the capture does not tell. */
  readonly untold: readonly string[];
  /** Least one-way delay used, microseconds; 0 when it is not known. */
  readonly delayUs: number;
}

/** Clocks of computers differ by less than a thousandth of this, common RTP clocks by more; parts in a million. */
const DRIFT_MAX = 50_000;

/**
 * Fits a link to a capture.
 * @param delayUs least one-way delay, when the user knows it, microseconds
 * @throws {Failure} when the stream's clock is not the one that was given.
 */
export function captureResult(opened: OpenedCapture, delayUs: number | undefined): CaptureResult {
  const { observation, stream, roundTripUs, isOneClock } = opened;
  const fit = fitPath(observation, { isOneClock });
  const { clockRate } = observation;
  if (clockRate !== undefined && fit.drift && Math.abs(fit.drift.value) > DRIFT_MAX) {
    throw new Failure(`the RTP timestamps do not run at ${clockRate} Hz; give another --clock-rate, or none`, 2);
  }
  const clockUs = isOneClock ? fit.delay?.measured.reduce((least, each) => Math.min(least, each)) : undefined;
  const isAtSender = observation.sides === 'one' && fit.loss.lost === 0 && roundTripUs !== undefined;
  const reports = isAtSender ? fitReports(stream, observation.clockRate ?? 90_000) : undefined;
  const least = delayUs ?? clockUs ?? (roundTripUs === undefined ? 0 : roundTripUs / 2);
  const link = reports ? linkOfReports(fittedLink(fit, least), reports) : fittedLink(fit, least);
  return {
    fit,
    link,
    line: fittedLine(link),
    check: checkFit(fit, link),
    reports,
    findings: findingsOf(fit, reports, { delayUs, clockUs, roundTripUs }),
    untold: untoldOf(fit, reports, delayUs ?? clockUs ?? roundTripUs),
    delayUs: least,
  };
}

/** Interarrival jitter of normal delays over their standard deviation: 2/√π. */
const JITTER_OF_NORMAL = 1.1284;

function linkOfReports(link: LinkSpecification, { loss, jitterUs }: ReportFit): LinkSpecification {
  const { jitterDistribution: _, quantiles: __, ...rest } = link;
  const jitter = Math.round(jitterUs / JITTER_OF_NORMAL) as LinkSpecification['jitter'];
  const share = Number(Math.max(0, loss.value).toPrecision(4));
  return { ...rest, loss: share, jitter, ...(jitter > 0 && { jitterDistribution: 'normal' as const }) };
}

const percent = (share: number): string => `${Number((100 * share).toPrecision(4))} %`;
const time = (us: number): string => `${Number((us / 1_000).toPrecision(4))} ms`;
const plain = (value: number): string => `${Number(value.toPrecision(4))}`;
const between = ({ low, high }: Interval, text: (value: number) => string): string => `${text(low)} … ${text(high)}`;

function row(name: string, interval: Interval, text: (value: number) => string, note = ''): CaptureFinding {
  return { name, value: text(interval.value), interval: between(interval, text), note };
}

function findingsOf(
  fit: PathFit,
  reports: ReportFit | undefined,
  { delayUs, clockUs, roundTripUs }: Readonly<Record<'delayUs' | 'clockUs' | 'roundTripUs', number | undefined>>,
): CaptureFinding[] {
  const { loss, delay, drift, reordering, capacity, duplicates, observation } = fit;
  const rows: CaptureFinding[] = [];
  if (reports) rows.push(row('loss', reports.loss, percent, `${reports.reports} receiver reports`));
  else rows.push(row('loss', loss.loss, percent, `${loss.lost} of ${loss.packets}`));
  if (loss.burst) rows.push(row('mean run', loss.burst, plain, `${loss.runs} runs, longest ${loss.longestRun}`));
  if (loss.model === 'gilbert-elliott' && loss.elliott) {
    const { enterBad, leaveBad, lossInBad, lossInGood } = loss.elliott;
    rows.push(row('Good to Bad', enterBad, percent), row('Bad to Good', leaveBad, percent));
    rows.push(row('loss in Bad', lossInBad, percent), row('loss in Good', lossInGood, percent));
  }
  if (delayUs !== undefined) rows.push({ name: 'least delay', value: time(delayUs), interval: '', note: 'as given' });
  else if (clockUs !== undefined) {
    rows.push({ name: 'least delay', value: time(clockUs), interval: '', note: 'both ends have one clock' });
  } else if (roundTripUs !== undefined) {
    const half = { value: roundTripUs / 2, low: 0, high: roundTripUs };
    rows.push(row('least delay', half, time, 'half of the round trip; how it splits is not told'));
  }
  if (delay) rows.push(...delayRows(delay));
  if (reports)
    rows.push({ name: 'RFC 3550 jitter', value: time(reports.jitterUs), interval: '', note: 'of the reports' });
  if (reordering.late > 0) {
    const places = reordering.isByPlaces ? `moved by ${reordering.usualExtent} places` : 'explained by the delays';
    rows.push(row('reordered', reordering.share, percent, places));
  }
  if (duplicates.value > 0) {
    const note = duplicates.value > DUPLICATE_SHARE_MAX ? 'of the capture, not in the line' : '';
    rows.push(row('duplicated', duplicates, percent, note));
  }
  if (observation.retransmitted > 0) {
    const note = 'came after a request: counted as lost';
    rows.push({ name: 'retransmitted', value: `${observation.retransmitted}`, interval: '', note });
  }
  if (capacity && capacity.verdict !== 'unclear') {
    const note =
      capacity.verdict === 'line' ? `${capacity.trains} packet trains` : 'at least: the sender may have paced';
    rows.push(row('capacity', capacity.rate, (rate) => `${plain(rate / 1e6)} Mb/s`, note));
  }
  if (drift)
    rows.push(row('clock drift', drift, (ppm) => `${plain(ppm)} ppm`, fit.isDriftRemoved ? 'removed' : 'none seen'));
  return rows;
}

function delayRows(delay: NonNullable<PathFit['delay']>): CaptureFinding[] {
  const rows: CaptureFinding[] = [];
  const { family, jitter, distribution, order, isOrderTold } = delay;
  if (family === 'constant')
    rows.push({ name: 'jitter', value: 'none', interval: '', note: 'delays differ by at most 20 µs' });
  else if (jitter) {
    const what = family === 'uniform' ? 'uniform: whole range' : `${family}: standard deviation`;
    rows.push(row('jitter', jitter, time, `${what}; order ${isOrderTold ? order : 'not told'}`));
  } else {
    const least = distribution.delays[0] ?? 0;
    const at = (share: number) => {
      const index = distribution.shares.findIndex((each) => each >= share);
      return distribution.delays[index < 0 ? distribution.delays.length - 1 : index]! - least;
    };
    const value = `${time(at(0.5))}, ${time(at(0.95))}, ${time(at(0.99))}`;
    const note = `50, 95, 99 %; no family fits; order ${isOrderTold ? order : 'not told'}`;
    rows.push({ name: 'delay above least', value, interval: `±${percent(delay.band)} of share`, note });
  }
  if (delay.isCorrelated) {
    const value = plain(delay.correlation);
    rows.push({
      name: 'delay correlation',
      value,
      interval: '',
      note: 'neighbors depend: replay the trace for their course',
    });
  }
  return rows;
}

function untoldOf(fit: PathFit, reports: ReportFit | undefined, leastUs: number | undefined): string[] {
  const { delay, capacity, observation, loss } = fit;
  const untold: string[] = [];
  if (leastUs === undefined) untold.push('least delay: the clocks of both ends are not compared; give it with --delay');
  if (observation.reorderedPictures)
    untold.push('delay: timestamps go back (B-frames), so they are not times of sending; capture both ends');
  if (observation.sides === 'one' && !reports && delay) {
    untold.push('delay apart from the sender: encoder and pacing are within these delays; capture both ends');
  }
  if (observation.sides === 'one' && fit.loss.lost === 0) {
    untold.push('losses beyond the place of the capture, which sees none; capture at the receiver');
  }
  if (reports) untold.push('runs of losses and the distribution of delays: reports have only sums');
  if (!capacity || capacity.verdict === 'unclear') untold.push('capacity: no packet trains with one rate');
  if (capacity?.verdict === 'line') untold.push('queue limit: only that it holds the longest wait seen');
  if (loss.runs > 0 && loss.runs < 30) untold.push(`whether losses have more than two states: only ${loss.runs} runs`);
  if (delay && !delay.isOrderTold) untold.push('order: delays vary less than the distance of the packets');
  return untold;
}
