import type { AskedCell } from '../lab/ask/ask.ts';
import { reachOf } from '../lab/ask/sampling.ts';
import type { Interval } from '../lab/report/interval.ts';
import { paddedCells } from '../lab/report/text-table.ts';
import { wrapped } from './wrapped.ts';

/** Blocks of a picture of one line, from none in time to all. */
const BLOCKS = '▁▂▃▄▅▆▇█';
/** Share of frames in time at and below which a picture shows the lowest block: below, no one would watch. */
const PICTURE_FLOOR = 0.5;

/**
 * Table of a question: a section for each path, a line for each strategy, a column for each budget. Each share of frames in
 * time has half the width of its interval, and a sign: `*` better than every other strategy there, beyond both intervals;
 * `…` not yet as narrow as asked. With several budgets a picture closes the line. With sound, a second line has the share of
 * the sound that is there when it is due.
 * @param width of the terminal, characters; without room for the intervals they are left out, as a line below says.
 */
export function askTable(cells: readonly AskedCell[], width: number): string {
  const budgets = [...new Set(cells.map(({ budgetMs }) => budgetMs))];
  const strategies = [...new Set(cells.map(({ strategy }) => strategy))];
  const severalSources = new Set(cells.map(({ source }) => source)).size > 1;
  const sections = new Map<string, AskedCell[]>();
  for (const cell of cells) {
    const heading = severalSources ? `${cell.source}, ${cell.path}` : cell.path;
    sections.set(heading, [...(sections.get(heading) ?? []), cell]);
  }
  const shares: readonly Share[] = cells.some(({ soundInTime }) => soundInTime)
    ? [
        ['', ({ inTime }) => inTime],
        [' sound', ({ soundInTime }) => soundInTime],
      ]
    : [['', ({ inTime }) => inTime]];
  const draw = (withInterval: boolean) => {
    const table = [...sections.values()].flatMap((section) =>
      strategies.flatMap((strategy) =>
        shares.map(([suffix, share]) => {
          const those = budgets.map((budget) => section.find((cell) => isAt(cell, strategy, budget)));
          const texts = those.map((cell) => (cell ? shareText(cell, section, share, withInterval) : ''));
          return [
            strategy + suffix,
            ...texts,
            ...(budgets.length > 1 ? [pictureOf(those.map((cell) => cell && share(cell)))] : []),
          ];
        }),
      ),
    );
    const heads = budgets.map((budget, index) => (index === 0 ? `in time, % at ${budget} ms` : `${budget} ms`));
    const head = ['strategy', ...heads, ...(budgets.length > 1 ? [''] : [])];
    return paddedCells([head, ...table], (column) => (column === 0 ? 'left' : 'right')).map((each) =>
      `  ${each.join('  ')}`.trimEnd(),
    );
  };
  let lines = draw(true);
  const isNarrow = lines.some(({ length }) => length > width);
  if (isNarrow) lines = draw(false);
  const text = [lines.shift()!];
  for (const heading of sections.keys()) {
    text.push(wrapped(heading, width, 4), ...lines.splice(0, strategies.length * shares.length));
  }
  if (isNarrow) text.push('  intervals omitted for lack of space: asked.csv has them');
  const signs = [
    ...(cells.some((cell) => !cell.isNarrow) ? ['… wider than asked'] : []),
    ...(text.some((line) => line.includes('*')) ? ['* better than every other strategy there'] : []),
  ];
  if (signs.length > 0) text.push(`  ${signs.join(', ')}`);
  return text.join('\n');
}

const isAt = (cell: AskedCell, strategy: string, budgetMs: number): boolean =>
  cell.strategy === strategy && cell.budgetMs === budgetMs;

/** A share of a cell, with what its line is named behind the strategy. */
type Share = readonly [suffix: string, of: (cell: AskedCell) => Interval | undefined];

function shareText(cell: AskedCell, section: readonly AskedCell[], shareOf: Share[1], withInterval: boolean): string {
  const { budgetMs, isNarrow } = cell;
  const share = shareOf(cell);
  if (!share) return '';
  const others = section.filter((other) => other.budgetMs === budgetMs && other !== cell);
  const isBest = others.length > 0 && others.every((other) => (shareOf(other)?.high ?? 0) < share.low);
  const interval = withInterval ? ` ±${percent(reachOf(share))}` : '';
  return `${percent(share.value)}${interval}${isNarrow ? '' : '…'}${isBest ? '*' : ''}`;
}

/** Percent with two digits; 99.996 % must not round to 100. */
function percent(share: number): string {
  const text = (share * 100).toFixed(2);
  return share < 1 && text === '100.00' ? '>99.99' : text;
}

function pictureOf(shares: readonly (Interval | undefined)[]): string {
  return shares
    .map((share) => {
      if (!share) return ' ';
      const height = Math.max(0, (share.value - PICTURE_FLOOR) / (1 - PICTURE_FLOOR));
      return BLOCKS[Math.min(BLOCKS.length - 1, Math.floor(height * BLOCKS.length))]!;
    })
    .join('');
}
