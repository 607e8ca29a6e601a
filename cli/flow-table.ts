import type { AnswerRow } from '../lab/answer.ts';
import { type FlowGroup, flowGroups, meanOf } from '../lab/flows/flow-groups.ts';
import { paddedCells } from '../lab/report/text-table.ts';
import { shortLink } from './answer-table.ts';
import { wrapped } from './wrapped.ts';

/** Longest table printed. */
const LINES_MAX = 60;

const HEADS = ['flow', 'Mb/s', 'share', 'of fair', 'queue ms', 'p95 ms', 'dropped', 'marked', 'in time'];

/** Formats the flows of an answer for people: a section per link, budget and set of flows, a line per flow. */
export function flowTable(rows: readonly AnswerRow[], width: number): string {
  const groups = flowGroups(rows);
  const table = groups.flatMap((group) => group.names.map((name, index) => [name, ...figuresOf(group, index)]));
  const [head = '', ...lines] = paddedCells([HEADS, ...table], (column) => (column === 0 ? 'left' : 'right')).map(
    (cells) => `  ${cells.join('  ')}`,
  );
  const text = [head];
  let line = 0;
  for (const group of groups) {
    if (line >= LINES_MAX) break;
    text.push(wrapped(headingOf(group), width, 4));
    for (const _ of group.names) text.push(lines[line++]!);
  }
  if (line < lines.length) text.push(`  … and ${lines.length - line} more lines in summary.csv`);
  return text.join('\n');
}

function headingOf(group: FlowGroup): string {
  const { forward, back, budgetMs, cells } = group;
  const way = forward === back ? shortLink(forward) : `${shortLink(forward)} / back ${shortLink(back)}`;
  const jain = meanOf(group, 0, 'jain');
  const fairness = jain === undefined ? [] : [`Jain ${jain.toFixed(3)}`];
  return [way, `budget ${budgetMs} ms`, cells.length === 1 ? '1 seed' : `${cells.length} seeds`, ...fairness].join(
    ', ',
  );
}

function figuresOf(group: FlowGroup, index: number): string[] {
  const rows = group.cells.map((cell) => cell[index]!);
  const of = (figure: Parameters<typeof meanOf>[2]) => meanOf(group, index, figure);
  const sum = (pick: (row: AnswerRow) => number | undefined) =>
    rows.reduce((total, row) => total + (pick(row) ?? 0), 0);
  const datagrams = sum((row) => row.flowDatagrams);
  const frames = sum((row) => row.frames);
  return [
    fixed(scaled(of('flowRate'), 1e-6), 2),
    percent(of('capacityShare')),
    fixed(of('fairRatio'), 2),
    fixed(scaled(of('queueUsMean'), 1e-3), 1),
    fixed(scaled(of('queueUsP95'), 1e-3), 1),
    percent(datagrams === 0 ? undefined : sum((row) => row.flowDropped) / datagrams),
    percent(datagrams === 0 ? undefined : sum((row) => row.flowMarked) / datagrams),
    percent(frames === 0 ? undefined : sum((row) => row.framesInTime) / frames),
  ];
}

const scaled = (value: number | undefined, by: number): number | undefined =>
  value === undefined ? value : value * by;
const fixed = (value: number | undefined, digits: number): string => value?.toFixed(digits) ?? '–';
const percent = (share: number | undefined): string => (share === undefined ? '–' : `${(share * 100).toFixed(1)} %`);
