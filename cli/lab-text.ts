import type { AnswerRow, StrategyCost } from '../lab/answer.ts';
import type { MeasuredStrategy } from '../lab/kernel/measured-conditions.ts';
import { percentile, sorted } from '../lab/metrics/percentile.ts';
import type { QualityProgress } from '../lab/quality/measure-quality.ts';
import type { SweepProgress } from '../lab/sweep.ts';

/** Longer tables are for a spreadsheet. */
const LINES_MAX = 60;

/** The rows that differ in nothing but their seed, taken together. */
interface Group {
  readonly rows: readonly AnswerRow[];
  readonly first: AnswerRow;
}

/** The answer for people: one line for all seeds of a point; delays are medians over them, shares are pooled. */
export function answerTable(rows: readonly AnswerRow[]): string {
  const groups = groupBySeed(rows);
  const severalSources = new Set(rows.map(({ source }) => source)).size > 1;
  const isSeen = rows.some(({ psnrDb }) => psnrDb != null);
  const isJudged = rows.some(({ vmafMean }) => vmafMean != null);
  const header = [
    ...(severalSources ? ['source'] : []),
    'link',
    'budget',
    'strategy',
    'seeds',
    'in time',
    'p50 ms',
    'p95 ms',
    'p99 ms',
    'freezes/min',
    'stalled',
    'overhead',
    ...(isSeen ? ['PSNR dB', 'SSIM', 'p1'] : []),
    ...(isJudged ? ['VMAF'] : []),
  ];
  const lines = groups.slice(0, LINES_MAX).map(({ rows: those, first }) => {
    const total = (read: (row: AnswerRow) => number) => those.reduce((sum, row) => sum + read(row), 0);
    const middle = (read: (row: AnswerRow) => number | null) =>
      percentile(sorted(those.map((row) => read(row) ?? 0)), 0.5);
    const minutes = total((row) => row.watchedUs) / 60e6;
    return [
      ...(severalSources ? [first.source] : []),
      withoutSeed(first.forward),
      `${first.budgetMs} ms`,
      [first.strategy, first.parameters].filter((text) => text !== '').join(' '),
      String(those.length),
      percentText(
        total((row) => row.framesInTime) /
          Math.max(
            1,
            total((row) => row.frames),
          ),
      ),
      millisecondsText(middle((row) => row.delayUsP50)),
      millisecondsText(middle((row) => row.delayUsP95)),
      millisecondsText(middle((row) => row.delayUsP99)),
      minutes === 0 ? '–' : (total((row) => row.freezes) / minutes).toFixed(1),
      percentText(
        total((row) => row.stallUs) /
          Math.max(
            1,
            total((row) => row.watchedUs),
          ),
      ),
      percentText(total((row) => row.overhead) / those.length),
      ...(isSeen ? qualityTexts(those) : []),
      ...(isJudged ? [numberText(mean(those.map(({ vmafMean }) => vmafMean)), 1)] : []),
    ];
  });
  const left = groups.length - lines.length;
  const more = left > 0 ? `\n  … and ${left} more lines: summary.csv has them all` : '';
  return `${aligned([header, ...lines])}${more}`;
}

export function costText(costs: readonly StrategyCost[]): string {
  const lines = costs.map(({ strategy, microsecondsPerDatagram, timesRealTime }) => [
    strategy,
    `${microsecondsPerDatagram.toFixed(1)} µs a datagram`,
    `${timesRealTime} × real time`,
  ]);
  return aligned([['simulated', '', ''], ...lines]);
}

/** What was measured in real time, and with what: TCP is nothing without the name of its congestion control. */
export function measuredText(measured: readonly MeasuredStrategy[]): string {
  const lines = measured.map(({ strategy, congestionControl, notsentLowat, kernel, ...rest }) => [
    strategy,
    `TCP ${congestionControl.join(', ')}, tcp_notsent_lowat ${notsentLowat.map(lowatText).join(', ')}, Linux ${kernel.join(', ')}`,
    `timers p99 ${millisecondsText(rest.timerUsP99)} ms late, link ${millisecondsText(rest.relayUsP99)} ms`,
    rest.disturbed > 0 ? `${rest.disturbed} of ${rest.cells} disturbed` : '',
  ]);
  return aligned([['measured', '', '', ''], ...lines]);
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

function groupBySeed(rows: readonly AnswerRow[]): Group[] {
  const groups = new Map<string, AnswerRow[]>();
  for (const row of rows) {
    const { source, forward, back, budgetMs, strategy, parameters, release } = row;
    const key = JSON.stringify([
      source,
      withoutSeed(forward),
      withoutSeed(back),
      budgetMs,
      strategy,
      parameters,
      release,
    ]);
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return [...groups.values()].map((those) => ({ rows: those, first: those[0]! }));
}

const withoutSeed = (line: string): string => line.replace(/\s*\bseed=\d+/, '') || 'clean';

const percentText = (value: number): string => {
  // Ninety-nine point something is not a hundred, and a thousandth is not nothing.
  const text = (value * 100).toFixed(2);
  return value < 1 && text === '100.00' ? '>99.99 %' : `${text} %`;
};

function millisecondsText(value: number | null): string {
  if (value === null) return '–';
  return value === Number.POSITIVE_INFINITY ? 'never' : (value / 1_000).toFixed(1);
}

/** Means over the seeds: of PSNR, of SSIM, and of SSIM's first percentile. */
function qualityTexts(rows: readonly AnswerRow[]): string[] {
  return [
    numberText(mean(rows.map(({ psnrDb }) => psnrDb)), 2),
    numberText(mean(rows.map(({ ssimMean }) => ssimMean)), 4),
    numberText(mean(rows.map(({ ssimP1 }) => ssimP1)), 4),
  ];
}

function mean(values: readonly (number | null | undefined)[]): number | undefined {
  const known = values.filter((value) => value != null);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / known.length;
}

function numberText(value: number | undefined, digits: number): string {
  if (value === undefined) return '–';
  return value === Number.POSITIVE_INFINITY ? 'identical' : value.toFixed(digits);
}

function aligned(lines: readonly (readonly string[])[]): string {
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines
    .map((line) => `  ${line.map((text, column) => text.padEnd(widths[column]!)).join('  ')}`.trimEnd())
    .join('\n');
}
