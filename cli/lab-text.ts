import type { MeasuredStrategy } from '../lab/measured/measured-conditions.ts';
import type { QualityProgress } from '../lab/quality/measure-quality.ts';
import { alignedText } from '../lab/report/text-table.ts';
import type { StrategyCost } from '../lab/strategy-cost.ts';
import type { SweepProgress } from '../lab/sweep.ts';
import { delayText } from './answer-table.ts';
import { durationText } from './duration-text.ts';

export function costText(costs: readonly StrategyCost[]): string {
  const lines = costs.map(({ strategy, microsecondsPerDatagram, timesRealTime }) => [
    strategy,
    `${microsecondsPerDatagram.toFixed(1)} µs per datagram`,
    `${timesRealTime} × real time`,
  ]);
  return alignedText([['simulated', '', ''], ...lines]);
}

/** Describes the strategies measured in real time and their settings, such as the congestion control of TCP. */
export function measuredText(measured: readonly MeasuredStrategy[]): string {
  const lines = measured.map(({ strategy, transport, congestionControl, notsentLowat, kernel, ...rest }) => [
    strategy,
    transport === 'tcp'
      ? `TCP ${congestionControl.join(', ')}, tcp_notsent_lowat ${notsentLowat.map(lowatText).join(', ')}, Linux ${kernel.join(', ')}`
      : `UDP, Linux ${kernel.join(', ')}`,
    `timers p99 ${delayText(rest.timerUsP99)} ms late, link ${delayText(rest.relayUsP99)} ms`,
    rest.disturbed > 0 ? `${rest.disturbed} of ${rest.cells} disturbed` : '',
  ]);
  return alignedText([['measured', '', '', ''], ...lines]);
}

/** 0xffffffff means no limit (tcp(7)). */
const lowatText = (bytes: number): string => (bytes === 0xffff_ffff ? 'none' : String(bytes));

/** Progress of a sweep, with an estimate of the remaining time at the pace so far. */
export function sweepProgressText(progress: SweepProgress, elapsedSeconds: number): string {
  const { cells, done, reused, workDone, secondsLeft } = progress;
  const had = reused > 0 ? ` (${reused} reused from an earlier run)` : '';
  if (secondsLeft !== undefined)
    return `${done} of ${cells} cells${had}, running in real time, ${durationText(secondsLeft)} left`;
  const left =
    workDone > 0.01 && workDone < 1 ? `, ${durationText((elapsedSeconds * (1 - workDone)) / workDone)} left` : '';
  return `${done} of ${cells} cells${had}, ${Math.floor(workDone * 100)} %${left}`;
}

/** Progress of the picture comparison that follows the simulation. */
export const qualityProgressText = ({ cells, done }: QualityProgress): string =>
  `pictures: ${done} of ${cells} cells compared`;
