import { malformed } from '../../protocol/base/parsed.ts';
import { type AtlasPoint, placeOf, placeWords } from '../../protocol/page/atlas-axes.ts';
import type { AtlasCell } from '../../protocol/page/atlas-cell.ts';
import { groupsOf } from '../ask/ask.ts';
import { readQuestion } from '../ask/question.ts';
import { FIRST_LOOK, intervalAt, nextLook, reachOf } from '../ask/sampling.ts';
import { expandGrid, type GridCell } from '../grid.ts';
import type { Interval } from '../report/interval.ts';
import { leastOverhead } from '../report/least-overhead.ts';
import { mean } from '../report/operating-point.ts';
import { runCell } from '../run-cell.ts';
import { manyOf, parseScenario } from '../scenario.ts';
import { syntheticSources } from '../synthetic-sources.ts';
import type { SummaryRow } from '../tables.ts';
import type { AtlasSetting } from './atlas-setting.ts';
import type { PointView } from './refinement.ts';

/** Words of `lab ask` that ask for a point. */
export function questionWords({ axes, stream }: AtlasSetting, point: AtlasPoint): readonly string[] {
  const { kbps, fps, keys, seconds } = stream;
  return [...placeWords(placeOf(axes, point)), `kbps=${kbps}`, `fps=${fps}`, `keys=${keys}`, `seconds=${seconds}`];
}

/**
 * Runs all strategies at a point. A cell is that of `lab ask`, with the same seeds and the same rule for when they are
 * enough, so that the question gives the same figures.
 * @throws {Failure} when the simulator refuses the point, with the reason.
 */
export function computePoint(setting: AtlasSetting, point: AtlasPoint): readonly AtlasCell[] {
  const cells = gridOf(setting, point).map((seeds) => sampled(seeds, setting));
  const best = bestOf(cells);
  return cells.map((cell) => {
    if (!best.has(cell.strategy)) return { ...cell, standing: 'behind' };
    return { ...cell, standing: best.size === 1 ? 'best' : 'tied' };
  });
}

/** Returns the cells of each strategy in the order of their seeds. @throws {Failure} when the point is impossible. */
export function gridOf(setting: AtlasSetting, point: AtlasPoint): readonly (readonly GridCell[])[] {
  const question = readQuestion(setting.strategies.join(' '), questionWords(setting, point));
  const text = JSON.stringify({ ...question, repeats: setting.seedsMax });
  const scenario = parseScenario(text, 'atlas', () => malformed('an atlas has no recordings'));
  const sources = manyOf(scenario.source).flatMap((source) => ('file' in source ? [] : syntheticSources(source)));
  return groupsOf(expandGrid(scenario, sources));
}

/** Strategies that have the greatest share of frames in time, or cannot be told from the one that has. */
function bestOf(cells: readonly Pick<AtlasCell, 'strategy' | 'inTime' | 'low' | 'high'>[]): ReadonlySet<string> {
  const first = mostInTime(cells);
  return new Set(cells.filter(({ high }) => high >= first.low).map(({ strategy }) => strategy));
}

function mostInTime<T extends Pick<AtlasCell, 'inTime'>>(cells: readonly T[]): T {
  return cells.reduce((one, other) => (other.inTime > one.inTime ? other : one));
}

/** Returns the results that refinement compares. */
export function viewOf(cells: readonly AtlasCell[]): PointView {
  const best = cells.filter(({ standing }) => standing !== 'behind');
  const { inTime, low, high } = mostInTime(best);
  return { best: new Set(best.map(({ strategy }) => strategy)), inTime: { value: inTime, low, high } };
}

function sampled(cells: readonly GridCell[], { until, seedsMax }: AtlasSetting): AtlasCell {
  const rows: SummaryRow[] = [];
  let inTime: Interval;
  for (let seeds = FIRST_LOOK; ; seeds = nextLook(seeds, reachOf(inTime), until, seedsMax)) {
    for (const { cell } of cells.slice(rows.length, seeds)) rows.push(runCell(cell).row);
    inTime = intervalAt(rows.map((row) => ({ count: row.framesInTime, of: row.frames })));
    if (reachOf(inTime) <= until || seeds === seedsMax) break;
  }
  const least = leastOverhead(rows);
  const limit = mean(rows.map(({ limitMissRatio }) => limitMissRatio));
  const total = (pick: (row: SummaryRow) => number) => rows.reduce((sum, row) => sum + pick(row), 0);
  return {
    strategy: cells[0]!.cell.strategy,
    standing: 'behind',
    seeds: rows.length,
    frames: total(({ frames }) => frames),
    framesInTime: total(({ framesInTime }) => framesInTime),
    inTime: inTime.value,
    low: inTime.low,
    high: inTime.high,
    overhead: mean(rows.map(({ overhead }) => overhead)) ?? null,
    leastOverhead: least ? (least.scheme ?? least.floor) : null,
    leastOf: least ? (least.scheme === undefined ? 'any' : 'frame') : null,
    limitInTime: limit === undefined ? null : 1 - limit,
  };
}
