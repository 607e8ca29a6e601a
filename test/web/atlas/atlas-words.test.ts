import { expect, test } from 'vitest';
import type { AtlasAxis } from '../../../protocol/page/atlas-axes.ts';
import type { AtlasRow } from '../../../protocol/page/atlas-cell.ts';
import { AtlasTree, pointKey } from '../../../protocol/page/atlas-tree.ts';
import type { Atlas } from '../../../web/atlas/atlas-data.ts';
import { verdictText } from '../../../web/atlas/atlas-words.ts';
import { mapText, squareAt } from '../../../web/atlas/map-squares.ts';

const AXES: readonly AtlasAxis[] = [
  { name: 'loss', knots: [1, 10], scale: 'log' },
  { name: 'rtt', knots: [20, 200], scale: 'log' },
];

const row = (strategy: string, standing: string, overhead: number, inTime = 0.99): AtlasRow =>
  ({ strategy, standing, overhead, inTime, leastOverhead: null }) as unknown as AtlasRow;

const TIE = [row('nack', 'tied', 0.1), row('hybrid', 'tied', 0.05), row('none', 'behind', 0)];
const WIN = [row('hybrid', 'best', 0.05), row('nack', 'behind', 0.1), row('none', 'behind', 0)];

/** An atlas of the four corners of a single box. */
function atlasOf(names: readonly string[], rows: readonly AtlasRow[]): Atlas {
  const corners = [0, 16].flatMap((loss) => [0, 16].map((rtt) => [loss, rtt]));
  return {
    manifest: { axes: AXES, strategies: names.map((name) => ({ name })) },
    tree: new AtlasTree(AXES),
    points: new Map(corners.map((point) => [pointKey(point), rows])),
  } as unknown as Atlas;
}

test('a square of a tie names the cheapest of it, and says that it is a tie', () => {
  const names = ['nack', 'hybrid', 'none'];
  expect(squareAt(atlasOf(names, TIE), [3, 3])).toEqual({
    strategy: 'hybrid',
    isTie: true,
    title: 'hybrid, tie of 2: 1.00 % not in time',
  });
  expect(squareAt(atlasOf(names, WIN), [3, 3])).toMatchObject({ strategy: 'hybrid', isTie: false });
});

test('the text of the map counts ties apart from wins', () => {
  const counts = new Map([
    ['hybrid', { all: 60, tied: 20 }],
    ['nack', { all: 25, tied: 25 }],
    ['', { all: 15, tied: 0 }],
  ]);
  expect(mapText(atlasOf(['nack', 'hybrid'], TIE), { x: 1, y: 0 }, counts)).toBe(
    'Who wins by round trip and loss: hybrid 40 % and the cheapest of a tie 20 %, nack the cheapest of a tie 25 %, none of use 15 %',
  );
  const alone = new Map([['nack', { all: 10, tied: 0 }]]);
  expect(mapText(atlasOf(['nack'], WIN), { x: 1, y: 0 }, alone)).toBe(
    'What is of use by round trip and loss: nack 100 %',
  );
});

test('a verdict is a win, a tie, no difference that can be told, or a strategy alone', () => {
  expect(verdictText(WIN)).toMatch(/^hybrid is best: /);
  expect(verdictText(TIE)).toMatch(/^A tie of 2; hybrid is the cheapest of them: /);
  expect(verdictText(TIE.slice(0, 2))).toMatch(/^The strategies cannot be told apart; hybrid is the cheapest: /);
  expect(verdictText([row('nack', 'best', 0.1)])).toMatch(
    /^nack, the only one of this atlas: 1.00 % of the frames not/,
  );
});
