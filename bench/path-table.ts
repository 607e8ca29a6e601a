import { markdownTable } from '../lab/report/text-table.ts';
import type { SummaryRow } from '../lab/tables.ts';
import { type BenchPath, BUDGETS_MS, FOLLOWING, type PathStream } from './path-run.ts';

/** A stream on a path with its rows, one per budget. */
export interface PathOutcome {
  readonly path: BenchPath;
  readonly stream: PathStream;
  readonly rows: readonly SummaryRow[];
}

const HEAD = ['path', 'stream', ...BUDGETS_MS.map((budgetMs) => `${budgetMs} ms`)];

/** One row per path and stream: frames missed, goodput, 95th percentiles of the delays until decodable and until displayed. */
export function pathTable(outcomes: readonly PathOutcome[]): string {
  const paths = [...new Set(outcomes.map(({ path }) => path))];
  return markdownTable(
    HEAD,
    paths.flatMap((path) => linesOf(outcomes.filter((outcome) => outcome.path === path))),
  );
}

function linesOf(outcomes: readonly PathOutcome[]): readonly (readonly string[])[] {
  const following = FOLLOWING.flatMap((rate) => {
    const outcome = outcomes.find(({ stream }) => 'rate' in stream && stream.rate === rate);
    return outcome ? [{ name: `\`${rate}\``, rows: outcome.rows }] : [];
  });
  const constant = outcomes.filter(({ stream }) => 'kbps' in stream);
  const bests = BUDGETS_MS.map((_, budget) => {
    const rows = constant.flatMap(({ rows }) => rows[budget] ?? []);
    return { sharpest: bestBy(rows, ({ goodput }) => goodput), surest: bestBy(rows, ({ missRatio }) => -missRatio) };
  });
  const [adaptive] = following;
  const lines: string[][] = [];
  if (adaptive) {
    const limits = adaptive.rows.map((row) => cell(row.limitMissRatio, row.limitGoodput));
    const causal = adaptive.rows.map((row) => cell(row.causalMissRatio, row.causalGoodput));
    lines.push(['clairvoyant limit', ...limits], ['causal limit', ...causal]);
  }
  for (const { name, rows } of following) lines.push([name, ...rows.map(measured)]);
  if (constant.length > 0) {
    lines.push(['constant rate with the most goodput', ...bests.map(({ sharpest }) => constantCell(sharpest))]);
    lines.push(['constant rate with the fewest misses', ...bests.map(({ surest }) => constantCell(surest))]);
  }
  return lines.map((line, index) => [index === 0 ? `**${outcomes[0]!.path.name}**` : '', ...line]);
}

function bestBy(rows: readonly SummaryRow[], value: (row: SummaryRow) => number): SummaryRow | undefined {
  return rows.reduce<SummaryRow | undefined>(
    (best, row) => (best && value(best) >= value(row) ? best : row),
    undefined,
  );
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
const megabits = (bitsPerSecond: number): string => (bitsPerSecond / 1e6).toFixed(2);

function cell(missRatio: number | null, goodput: number | null): string {
  return missRatio === null || goodput === null ? '–' : `${percent(missRatio)}, ${megabits(goodput)}`;
}

function measured(row: SummaryRow): string {
  const { inTimeUsP95, renderUsP95, goodputOfLimit } = row;
  const share = goodputOfLimit === null ? '' : ` (${(goodputOfLimit * 100).toFixed(0)} %)`;
  const delays = [inTimeUsP95, renderUsP95].map((p95) => (p95 === null ? '–' : Math.round(p95 / 1_000)));
  const delay = `, ${delays.join(' / ')} ms`;
  return `${cell(row.missRatio, row.goodput)}${share}${delay}`;
}

function constantCell(row: SummaryRow | undefined): string {
  return row ? `${(row.sourceRate / 1e6).toFixed(1)} Mb/s: ${measured(row)}` : '–';
}
