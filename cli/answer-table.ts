import type { AnswerRow } from '../lab/answer.ts';
import { sorted } from '../lab/metrics/percentile.ts';
import { paddedCells } from '../lab/report/text-table.ts';
import { wrapped } from './wrapped.ts';

/** Longest table printed; beyond it, a spreadsheet serves better. */
const LINES_MAX = 60;
/** Longest strategy name with its parameters on one line; a longer one puts the parameters on lines of their own. */
const NAME_CHARACTERS_MAX = 24;
/** Shown length of a file's hash: enough to distinguish files. */
const HASH_CHARACTERS = 8;

/** Rows that differ only in their seed. */
interface Group {
  readonly rows: readonly AnswerRow[];
  readonly first: AnswerRow;
}

interface Column {
  readonly head: string;
  /** Order in which columns are dropped on a narrow terminal, highest first; 0 is always kept. */
  readonly dispensable: number;
  readonly text: (group: Group) => string;
}

/**
 * Formats an answer for people: one section per path and budget, one line per strategy over all its seeds. Delays are
 * medians over the seeds (of an even number, the upper one of the middle pair); shares and PSNR are pooled.
 * @param width of the terminal, characters; columns that do not fit are omitted and listed.
 */
export function answerTable(rows: readonly AnswerRow[], width: number): string {
  const groups = groupBySeed(rows);
  const severalSources = new Set(rows.map(({ source }) => source)).size > 1;
  const shown = groups.slice(0, LINES_MAX);
  const sections = new Map<string, Group[]>();
  for (const group of shown) {
    const heading = headingOf(group, severalSources);
    sections.set(heading, [...(sections.get(heading) ?? []), group]);
  }
  const names = shown.flatMap(({ first }) => nameLines(first));
  const nameWidth = Math.max('strategy'.length, ...names.map(({ length }) => length));
  const { columns, left } = fitting(columnsOf(rows), shown, width - nameWidth - 2);
  const table = [...sections.values()].flat().flatMap((group) => {
    const [name = '', ...parameters] = nameLines(group.first);
    return [[name, ...columns.map(({ text }) => text(group))], ...parameters.map((words) => [words])];
  });
  const head = ['strategy', ...columns.map((column) => column.head)];
  const lines = paddedCells([head, ...table], (column) => (column === 0 ? 'left' : 'right')).map((cells) =>
    `  ${cells.join('  ')}`.trimEnd(),
  );
  const text = [lines.shift()!];
  for (const [heading, those] of sections) {
    text.push(wrapped(heading, width, 4));
    for (const { first } of those) {
      text.push(...lines.splice(0, nameLines(first).length));
    }
  }
  const more = groups.length - shown.length;
  if (more > 0) text.push(`  … and ${more} more lines in summary.csv`);
  if (left.length > 0) text.push(`  omitted for lack of space: ${left.map(({ head }) => head).join(', ')}`);
  return text.join('\n');
}

/** Shortens a link of a scenario for display: without its seed, and with file names instead of paths. */
export function shortLink(line: string): string {
  const withoutSeed = line.replace(/\s*\bseed=\d+/, '').trim() || 'clean';
  return withoutSeed.replace(FOLDERS, '').replace(HASH, '#$1');
}
/** Matches folders of trace files only: shares and times contain slashes too. */
const FOLDERS = /(?<=\btrace=|\blosstrace=|\bpathtrace=)[^\s"]*\/|(?<=trace=")[^"]*\//g;
const HASH = new RegExp(`#([0-9a-f]{${HASH_CHARACTERS}})[0-9a-f]+`, 'g');

function headingOf({ first, rows }: Group, severalSources: boolean): string {
  const { source, forward, back, secondForward, secondBack, budgetMs } = first;
  const seeds = rows.length === 1 ? '1 seed' : `${rows.length} seeds`;
  const one = wayOf(forward, back);
  const way = secondForward == null ? one : `${one} ∥ ${wayOf(secondForward, secondBack ?? secondForward)}`;
  return [...(severalSources ? [source] : []), way, `budget ${budgetMs} ms`, seeds].join(', ');
}

function wayOf(forward: string, back: string): string {
  const [there, here] = [shortLink(forward), shortLink(back)];
  return there === here ? there : `${there} / back ${here}`;
}

function nameLines({ strategy, parameters }: AnswerRow): string[] {
  const name = [strategy, parameters].filter((text) => text !== '').join(' ');
  return name.length <= NAME_CHARACTERS_MAX ? [name] : [strategy, ...parameters.split(' ').map((each) => `  ${each}`)];
}

function columnsOf(rows: readonly AnswerRow[]): readonly Column[] {
  const isSeen = rows.some(({ psnrDb }) => psnrDb != null);
  const isJudged = rows.some(({ vmafMean }) => vmafMean != null);
  const isHeard = rows.some(({ soundUnits }) => soundUnits != null);
  const column = (head: string, dispensable: number, text: Column['text']): Column => ({ head, dispensable, text });
  return [
    column('in time', 0, ({ rows }) => percentText(total(rows, 'framesInTime') / Math.max(1, total(rows, 'frames')))),
    column('p50 ms', 3, ({ rows }) => delayText(middle(rows, 'delayUsP50'))),
    column('p95 ms', 2, ({ rows }) => delayText(middle(rows, 'delayUsP95'))),
    column('p99 ms', 0, ({ rows }) => delayText(middle(rows, 'delayUsP99'))),
    column('freezes/min', 4, ({ rows }) => {
      const minutes = total(rows, 'watchedUs') / 60e6;
      return minutes === 0 ? '–' : (total(rows, 'freezes') / minutes).toFixed(1);
    }),
    column('stalled', 1, ({ rows }) => percentText(total(rows, 'stallUs') / Math.max(1, total(rows, 'watchedUs')))),
    column('overhead', 0, ({ rows }) => percentText(total(rows, 'overhead') / rows.length)),
    ...(isHeard
      ? [
          column('sound concealed', 0, ({ rows }) =>
            percentText(
              1 - (total(rows, 'sumInTime') - total(rows, 'framesInTime')) / Math.max(1, total(rows, 'soundUnits')),
            ),
          ),
          column('gap max ms', 2, ({ rows }) =>
            String(Math.max(0, ...rows.map(({ soundGapMsMax }) => soundGapMsMax ?? 0))),
          ),
          column('sync p99 ms', 1, ({ rows }) => delayText(middle(rows, 'syncUsP99'))),
        ]
      : []),
    ...(isSeen
      ? [
          column('PSNR dB', 0, ({ rows }) => numberText(pooledPsnrDb(rows), 2)),
          column('SSIM', 0, ({ rows }) => numberText(mean(rows.map(({ ssimMean }) => ssimMean)), 4)),
          column('SSIM p1', 2, ({ rows }) => numberText(mean(rows.map(({ ssimP1 }) => ssimP1)), 4)),
        ]
      : []),
    ...(isJudged ? [column('VMAF', 0, ({ rows }) => numberText(mean(rows.map(({ vmafMean }) => vmafMean)), 1))] : []),
  ];
}

/** Drops columns until the rest fits into `width` characters. */
function fitting(columns: readonly Column[], groups: readonly Group[], width: number) {
  const needed = (column: Column) =>
    2 + Math.max(column.head.length, ...groups.map((group) => column.text(group).length));
  const kept = new Set(columns);
  const dispensable = columns.filter(({ dispensable: rank }) => rank > 0);
  dispensable.sort((one, other) => other.dispensable - one.dispensable);
  for (const column of dispensable) {
    if ([...kept].reduce((sum, each) => sum + needed(each), 0) <= width) break;
    kept.delete(column);
  }
  return { columns: [...kept], left: columns.filter((column) => !kept.has(column)) };
}

function groupBySeed(rows: readonly AnswerRow[]): Group[] {
  const groups = new Map<string, AnswerRow[]>();
  for (const row of rows) {
    const { source, forward, back, secondForward, secondBack, budgetMs, strategy, parameters, release } = row;
    const links = [forward, back, ...(secondForward == null ? [] : [secondForward, secondBack ?? secondForward])];
    const paths = links.map((line) => line.replace(/\s*\bseed=\d+/, ''));
    const key = JSON.stringify([source, paths, budgetMs, strategy, parameters, release]);
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return [...groups.values()].map((those) => ({ rows: those, first: those[0]! }));
}

type Figure = {
  [Name in keyof AnswerRow]-?: AnswerRow[Name] extends number | null | undefined ? Name : never;
}[keyof AnswerRow];

const total = (rows: readonly AnswerRow[], name: Figure): number =>
  rows.reduce((sum, row) => sum + (row[name] ?? 0), 0);
// Of two seeds, the later one: the earlier would promise a delay that the other one missed.
const middle = (rows: readonly AnswerRow[], name: Figure): number =>
  sorted(rows.map((row) => row[name] ?? 0))[rows.length >> 1]!;

const percentText = (value: number): string => {
  // 99.996 % must not round to 100 %.
  const text = (value * 100).toFixed(2);
  return value < 1 && text === '100.00' ? '>99.99 %' : `${text} %`;
};

export function delayText(value: number | null): string {
  if (value === null) return '–';
  return value === Number.POSITIVE_INFINITY ? 'never' : (value / 1_000).toFixed(1);
}

function mean(values: readonly (number | null | undefined)[]): number | undefined {
  const known = values.filter((value) => value != null);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / known.length;
}

/**
 * PSNR of the mean square error over all seeds: a mean of decibels would be infinite as soon as one seed is identical.
 */
function pooledPsnrDb(rows: readonly AnswerRow[]): number | undefined {
  const known = rows.filter(({ psnrDb }) => psnrDb != null);
  if (known.length === 0) return undefined;
  const slotsOf = ({ slots }: AnswerRow) => slots ?? 1;
  const error = known.reduce((sum, row) => sum + slotsOf(row) * 10 ** (-row.psnrDb! / 10), 0);
  const slots = known.reduce((sum, row) => sum + slotsOf(row), 0);
  return error === 0 ? Number.POSITIVE_INFINITY : -10 * Math.log10(error / slots);
}

function numberText(value: number | undefined, digits: number): string {
  if (value === undefined) return '–';
  return value === Number.POSITIVE_INFINITY ? 'identical' : value.toFixed(digits);
}
