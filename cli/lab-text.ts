import type { StrategyCost } from '../lab/answer.ts';
import type { MeasuredStrategy } from '../lab/measured/measured-conditions.ts';
import type { QualityProgress } from '../lab/quality/measure-quality.ts';
import { alignedText } from '../lab/report/text-table.ts';
import type { SweepProgress } from '../lab/sweep.ts';
import { millisecondsText } from './answer-table.ts';

export function costText(costs: readonly StrategyCost[]): string {
  const lines = costs.map(({ strategy, microsecondsPerDatagram, timesRealTime }) => [
    strategy,
    `${microsecondsPerDatagram.toFixed(1)} µs a datagram`,
    `${timesRealTime} × real time`,
  ]);
  return alignedText([['simulated', '', ''], ...lines]);
}

/** What was measured in real time, and with what: TCP is nothing without the name of its congestion control. */
export function measuredText(measured: readonly MeasuredStrategy[]): string {
  const lines = measured.map(({ strategy, congestionControl, notsentLowat, kernel, ...rest }) => [
    strategy,
    `TCP ${congestionControl.join(', ')}, tcp_notsent_lowat ${notsentLowat.map(lowatText).join(', ')}, Linux ${kernel.join(', ')}`,
    `timers p99 ${millisecondsText(rest.timerUsP99)} ms late, link ${millisecondsText(rest.relayUsP99)} ms`,
    rest.disturbed > 0 ? `${rest.disturbed} of ${rest.cells} disturbed` : '',
  ]);
  return alignedText([['measured', '', '', ''], ...lines]);
}

/** tcp(7): the value that means that there is no limit. */
const lowatText = (bytes: number): string => (bytes === 0xffff_ffff ? 'none' : String(bytes));

/** How far a sweep is, and how long it still takes at the pace so far. */
export function progressText(progress: SweepProgress, elapsedSeconds: number): string {
  const { cells, done, reused, workDone, secondsLeft } = progress;
  const had = reused > 0 ? ` (${reused} had been finished before)` : '';
  if (secondsLeft !== undefined)
    return `${done} of ${cells} cells${had}, in real time: ${durationText(secondsLeft)} left`;
  const left =
    workDone > 0.01 && workDone < 1 ? `, ${durationText((elapsedSeconds * (1 - workDone)) / workDone)} left` : '';
  return `${done} of ${cells} cells${had}, ${Math.floor(workDone * 100)} %${left}`;
}

/** How far the comparison of pictures is, which comes after the simulation. */
export const qualityProgressText = ({ cells, done }: QualityProgress): string =>
  `pictures: ${done} of ${cells} cells compared`;

export function durationText(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3_600).toFixed(1)} h`;
}
