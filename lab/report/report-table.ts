import { bestOf } from './best-plot.ts';
import type { PageColor } from './inline-drawing.ts';
import { html, Markup } from './markup.ts';
import { mean, type OperatingPoint, sum } from './operating-point.ts';
import { grouped, millisecondsText, percentText } from './quantity-text.ts';
import { type Case, caseName, cases } from './reference-case.ts';
import type { StrategyStyle } from './strategy-style.ts';

/** Maximum number of rows in the page; `summary.csv` contains all. */
const ROWS_MAX = 240;

const SHAPES: Readonly<Record<string, string>> = {
  circle: 'M1,0A1,1,0,1,1,-1,0A1,1,0,1,1,1,0Z',
  square: 'M-.85,-.85H.85V.85H-.85Z',
  diamond: 'M0,-1.1L.85,0L0,1.1L-.85,0Z',
  'triangle-up': 'M0,-1L1,.8H-1Z',
  'triangle-down': 'M0,1L1,-.8H-1Z',
  'triangle-left': 'M-1,0L.8,-1V1Z',
  'triangle-right': 'M1,0L-.8,-1V1Z',
};

/** Marker of a strategy, as in the plots. */
function swatch(style: StrategyStyle, colors: readonly PageColor[]): Markup {
  const property = colors.find(({ light }) => light === style.color)?.property;
  const color = property ? `var(${property})` : style.color;
  const fill = style.filled ? color : 'none';
  const path = SHAPES[style.marker] ?? style.marker;
  return new Markup(
    `<svg class="swatch" width="12" height="12" viewBox="-1.4 -1.4 2.8 2.8" aria-hidden="true"><path d="${path}" fill="${fill}" stroke="${color}" stroke-width=".35"/></svg>`,
  );
}

/** Without unit, which is in the header. */
const percent = (share: number | undefined): string => percentText(share).replace(' %', '');
const milliseconds = (value: number | undefined): string => millisecondsText(value).replace(' ms', '');
/** The least overhead; with `≥` where only that of any scheme whatever is known. */
function leastText({ least }: OperatingPoint): string {
  if (!least) return '–';
  return least.scheme === undefined ? `≥ ${percent(least.floor)}` : percent(least.scheme);
}
const megabits = (value: number | undefined): string => (value === undefined ? '–' : (value / 1e6).toFixed(2));

const HEADS = [
  ['strategy', ''],
  ['frames', ''],
  ['missed', '%'],
  ['95 % interval', '%'],
  ['delay p50', 'ms'],
  ['p95', 'ms'],
  ['p99', 'ms'],
  ['p99.9', 'ms'],
  ['decodable', '%'],
  ['freezes', ''],
  ['frozen', '%'],
  ['stalled', '%'],
  ['overhead', '%'],
  ['least', '%'],
  ['waste', '%'],
  ['goodput', 'Mb/s'],
] as const;

/** Styles and colors of the page. */
interface PageStyle {
  readonly styles: readonly StrategyStyle[];
  readonly colors: readonly PageColor[];
}

/** Table of the answer's case, and the others collapsed; the best strategy of each case in bold. */
export function pointTables(points: readonly OperatingPoint[], shown: Case, pageStyle: PageStyle): Markup {
  const others = cases(points).filter(({ path, budgetMs }) => path !== shown.path || budgetMs !== shown.budgetMs);
  const groups: Case[] = [];
  let rows = 0;
  for (const each of others) {
    if (rows + each.points.length > ROWS_MAX && groups.length > 0) break;
    groups.push(each);
    rows += each.points.length;
  }
  const missing = others.length - groups.length;
  const note = missing > 0 ? ` The first ${groups.length} of ${grouped(others.length)}; summary.csv contains all.` : '';
  return html`<p class="note">Each row pools all seeds; the columns are defined below. Bold: among the strategies whose miss ratio is statistically equal to the lowest, the one with the least overhead.</p>
${tableOf([shown], pageStyle, 'The case of the answer')}
${
  others.length > 0
    ? html`<details><summary>${others.length === 1 ? 'The other case' : `The other ${grouped(others.length)} cases`}</summary>
${note === '' ? '' : html`<p class="note">${note.trim()}</p>`}
${tableOf(groups, pageStyle, 'The other cases')}
</details>`
    : ''
}`;
}

const tableOf = (
  groups: readonly Case[],
  pageStyle: PageStyle,
  name: string,
): Markup => html`<div class="scroll" tabindex="0" role="region" aria-label="${name}">
<table>
<thead><tr>${HEADS.map(([head, unit], index) => html`<th scope="col"${index === 0 ? html` class="text"` : ''}>${head}${unit === '' ? '' : html` <span class="unit">${unit}</span>`}</th>`)}</tr></thead>
${groups.map((group) => groupOf(group, pageStyle))}
</table>
</div>`;

function groupOf(group: Case, pageStyle: PageStyle): Markup {
  const { styles } = pageStyle;
  const best = bestOf(group);
  const order = (point: OperatingPoint) => styles.findIndex(({ name }) => name === point.strategy);
  const ordered = [...group.points].sort((a, b) => order(a) - order(b));
  return html`<tbody>
<tr class="path"><th colspan="${HEADS.length}" scope="rowgroup">${caseName(group)}</th></tr>
${ordered.map((point) => lineOf(point, point === best, pageStyle))}
</tbody>
`;
}

function lineOf(point: OperatingPoint, best: boolean, { styles, colors }: PageStyle): Markup {
  const style = styles.find(({ name }) => name === point.strategy);
  const { rows } = point;
  const total = (pick: (row: (typeof rows)[number]) => number) => sum(rows.map(pick));
  const watched = total((row) => row.watchedUs);
  const cells = [
    grouped(point.frames),
    percent(point.misses.value),
    `${percent(point.misses.low)} – ${percent(point.misses.high)}`,
    milliseconds(point.delayMsP50),
    milliseconds(point.delayMsP95),
    milliseconds(point.delayMsP99),
    milliseconds(point.delayMsP999),
    percent(total((row) => row.framesDecodable) / point.frames),
    grouped(total((row) => row.freezes)),
    percent(watched > 0 ? total((row) => row.freezeUs) / watched : undefined),
    percent(point.stallRatio),
    percent(point.overhead),
    leastText(point),
    percent(mean(rows.map((row) => row.wasteRatio))),
    megabits(mean(rows.map((row) => row.goodput))),
  ];
  return html`<tr${best ? html` class="best"` : ''}><th scope="row" class="text">${style ? swatch(style, colors) : ''}${point.strategy}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>
`;
}
