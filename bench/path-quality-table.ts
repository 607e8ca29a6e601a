import { markdownTable } from '../lab/report/text-table.ts';
import type { ShownFilm } from './path-quality.ts';
import { BUDGETS_MS } from './path-run.ts';

/** One row per film, path and stream: the stream that follows, and the constant rate that looks best at each budget. */
export function pathQualityTable(shown: readonly ShownFilm[]): string {
  const head = ['film, path', 'stream', ...BUDGETS_MS.map((budgetMs) => `${budgetMs} ms`)];
  const groups = new Set(shown.map(groupOf));
  const rows = [...groups].flatMap((group) => {
    const those = shown.filter((one) => groupOf(one) === group);
    const following = BUDGETS_MS.map((budgetMs) => those.find((one) => one.budgetMs === budgetMs && isFollowing(one)));
    const constant = BUDGETS_MS.map((budgetMs) =>
      sharpest(those.filter((one) => one.budgetMs === budgetMs && !isFollowing(one))),
    );
    return [
      [`**${group}**`, '`adaptive`', ...following.map((one) => (one ? textOf(one) : '–'))],
      ['', 'best constant rate', ...constant.map((one) => (one ? `${rateOf(one)}: ${textOf(one)}` : '–'))],
    ];
  });
  return markdownTable(head, rows);
}

const groupOf = ({ film, path }: ShownFilm): string => `${film}, ${path}`;
const isFollowing = ({ stream }: ShownFilm): boolean => 'rate' in stream;
const rateOf = ({ stream }: ShownFilm): string => ('kbps' in stream ? `${(stream.kbps / 1_000).toFixed(1)} Mb/s` : '');

const sharpest = (shown: readonly ShownFilm[]): ShownFilm | undefined =>
  shown.reduce<ShownFilm | undefined>((best, one) => (best && best.ssimMean >= one.ssimMean ? best : one), undefined);

const textOf = ({ ssimMean, ssimP5, missRatio }: ShownFilm): string =>
  `**${ssimMean.toFixed(4)}**, ${ssimP5.toFixed(3)}, ${(missRatio * 100).toFixed(1)} %`;
