import { bestOf } from './best-plot.ts';
import type { PageColor } from './inline-drawing.ts';
import { html, Markup } from './markup.ts';
import { mean, type OperatingPoint, sum } from './operating-point.ts';
import { bitRateText, grouped, millisecondsText, percentText } from './quantity-text.ts';
import { type Case, caseName, cases } from './reference-case.ts';
import type { StrategyStyle } from './strategy-style.ts';

/** So many rows are in the page; `summary.csv` has all. */
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

/** The strategy's marker as it is in the pictures. */
function swatch(style: StrategyStyle, colors: readonly PageColor[]): Markup {
  const property = colors.find(({ light }) => light === style.color)?.property;
  const color = property ? `var(${property})` : style.color;
  const fill = style.filled ? color : 'none';
  const path = SHAPES[style.marker] ?? style.marker;
  return new Markup(
    `<svg class="swatch" width="12" height="12" viewBox="-1.4 -1.4 2.8 2.8" aria-hidden="true"><path d="${path}" fill="${fill}" stroke="${color}" stroke-width=".35"/></svg>`,
  );
}

const HEADS = [
  ['strategy', 'text'],
  ['frames', ''],
  ['missed', ''],
  ['95 % interval', ''],
  ['delay p50', ''],
  ['p95', ''],
  ['p99', ''],
  ['p99.9', ''],
  ['decodable', ''],
  ['freezes', ''],
  ['frozen', ''],
  ['stalled', ''],
  ['overhead', ''],
  ['waste', ''],
  ['goodput', ''],
] as const;

/** All operating points, case by case; the best of each case in bold. */
export function pointTable(
  points: readonly OperatingPoint[],
  styles: readonly StrategyStyle[],
  colors: readonly PageColor[],
): Markup {
  const groups: Case[] = [];
  let rows = 0;
  for (const each of cases(points)) {
    if (rows + each.points.length > ROWS_MAX && groups.length > 0) break;
    groups.push(each);
    rows += each.points.length;
  }
  const note =
    rows < points.length ? ` The first ${rows} of ${grouped(points.length)} lines; summary.csv has all.` : '';
  return html`<div class="scroll" tabindex="0" role="region" aria-label="All figures">
<table>
<caption>All seeds of a line together; what each column means is below. Bold: of the strategies whose misses cannot be told from the fewest, the one with the least overhead.${note}</caption>
<thead><tr>${HEADS.map(([name, kind]) => html`<th scope="col"${kind === 'text' ? html` class="text"` : ''}>${name}</th>`)}</tr></thead>
${groups.map((group) => groupOf(group, styles, colors))}
</table>
</div>`;
}

function groupOf(group: Case, styles: readonly StrategyStyle[], colors: readonly PageColor[]): Markup {
  const best = bestOf(group);
  const order = (point: OperatingPoint) => styles.findIndex(({ name }) => name === point.strategy);
  const ordered = [...group.points].sort((a, b) => order(a) - order(b));
  return html`<tbody>
<tr class="path"><th colspan="${HEADS.length}" scope="rowgroup">${caseName(group)}</th></tr>
${ordered.map((point) => lineOf(point, point === best, styles[order(point)], colors))}
</tbody>
`;
}

function lineOf(
  point: OperatingPoint,
  best: boolean,
  style: StrategyStyle | undefined,
  colors: readonly PageColor[],
): Markup {
  const { rows } = point;
  const total = (pick: (row: (typeof rows)[number]) => number) => sum(rows.map(pick));
  const watched = total((row) => row.watchedUs);
  const cells = [
    grouped(point.frames),
    percentText(point.misses.value),
    `${percentText(point.misses.low)} – ${percentText(point.misses.high)}`,
    millisecondsText(point.delayMsP50),
    millisecondsText(point.delayMsP95),
    millisecondsText(point.delayMsP99),
    millisecondsText(point.delayMsP999),
    percentText(total((row) => row.framesDecodable) / point.frames),
    grouped(total((row) => row.freezes)),
    watched > 0 ? percentText(total((row) => row.freezeUs) / watched) : '–',
    percentText(point.stallRatio),
    percentText(point.overhead),
    percentText(mean(rows.map((row) => row.wasteRatio))),
    bitRateText(mean(rows.map((row) => row.goodput))),
  ];
  return html`<tr${best ? html` class="best"` : ''}><th scope="row" class="text">${style ? swatch(style, colors) : ''}${point.strategy}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>
`;
}
