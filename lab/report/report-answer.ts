import { bestOf } from './best-plot.ts';
import { distinct, type OperatingPoint } from './operating-point.ts';
import { grouped, millisecondsText, percentText } from './quantity-text.ts';
import { type Case, caseName } from './reference-case.ts';

/** "Good" in the second sentence of the answer: at most 1 % of the frames missed. */
const GOOD_MISSES = 0.01;

/** Summarizes the result in one or two sentences; empty without results. */
export function answerOf(points: readonly OperatingPoint[], shown: Case | undefined): readonly string[] {
  if (!shown) return [];
  const best = bestOf(shown);
  if (!best) return [];
  const others = shown.points.filter((point) => point !== best);
  const first =
    `On ${caseName(shown)}: ${displayName(best.strategy)} misses ${missesText(best)} and costs ${percentText(best.overhead)} overhead${limitText(best)}` +
    `${others.length > 0 ? `; ${joinWords(others.map((point) => `${displayName(point.strategy)} misses ${percentText(point.misses.value)}`))}` : ''}.`;
  const second = latencyNeeded(points, shown);
  return second === undefined ? [first] : [first, second];
}

/** Least overhead for as many frames in time, where it is known. */
const limitText = ({ least }: OperatingPoint): string =>
  least?.scheme === undefined
    ? ''
    : ` (at least ${percentText(least.scheme)} for any scheme that codes frame by frame)`;

function missesText({ misses, missed, frames }: OperatingPoint): string {
  const interval = `95 % interval ${percentText(misses.low)} to ${percentText(misses.high)}`;
  return missed === 0
    ? `0 of ${grouped(frames)} frames (95 % interval up to ${percentText(misses.high)})`
    : `${percentText(misses.value)} of ${grouped(frames)} frames (${interval})`;
}

/** Smallest budget with which each strategy is good, when budgets vary. */
function latencyNeeded(points: readonly OperatingPoint[], shown: Case): string | undefined {
  const here = points.filter(({ path }) => path === shown.path);
  if (distinct(here.map(({ budgetMs }) => budgetMs)).length < 2) return undefined;
  const strategies = distinct(shown.points.map(({ strategy }) => strategy));
  const needed = strategies.map((strategy) => {
    const good = here.filter((point) => point.strategy === strategy && point.misses.value <= GOOD_MISSES);
    return { strategy, budgetMs: Math.min(...good.map(({ budgetMs }) => budgetMs)) };
  });
  const able = needed.filter(({ budgetMs }) => Number.isFinite(budgetMs)).sort((a, b) => a.budgetMs - b.budgetMs);
  const unable = needed.filter(({ budgetMs }) => !Number.isFinite(budgetMs)).map(({ strategy }) => strategy);
  const widest = millisecondsText(Math.max(...here.map(({ budgetMs }) => budgetMs)));
  if (able.length === 0) return `On that path, no strategy delivers 99 % of the frames in time, even within ${widest}.`;
  const reach = joinWords(
    able.map(({ strategy, budgetMs }) => `${displayName(strategy)} with ${millisecondsText(budgetMs)}`),
  );
  const rest = unable.length > 0 ? `; ${joinWords(unable.map(displayName))} not even with ${widest}` : '';
  return `Of the budgets tried on that path, 99 % of the frames are in time for ${reach}${rest}.`;
}

/** `none` would read as a count. */
const displayName = (strategy: string): string => (strategy === 'none' ? 'no recovery' : strategy);

const joinWords = (texts: readonly string[]): string =>
  texts.length < 2 ? texts.join('') : `${texts.slice(0, -1).join(', ')} and ${texts.at(-1)}`;
