import { markdownTable } from '../../lab/report/text-table.ts';
import type { BenchPoint } from '../point.ts';
import { type PeerRun, type Standing, standingsOf, verdictOf } from './standing.ts';

/** Name of a program in the table. */
export interface PeerTitle {
  readonly name: string;
  readonly title: string;
}

const HEAD = ['point', 'program', 'not in time', '95 %', 'late', 'overhead', 'p50 / p99', ''];

/** Formats the comparison as a Markdown table: one row per program and point, with the best one marked. */
export function resultsTable(
  runs: readonly PeerRun[],
  points: readonly BenchPoint[],
  peers: readonly PeerTitle[],
): string {
  const rows = points.flatMap((point) => pointRows(runs, point, peers));
  return markdownTable(HEAD, rows, ['left', 'left', 'right', 'right', 'right', 'right', 'right', 'left']);
}

function pointRows(runs: readonly PeerRun[], point: BenchPoint, peers: readonly PeerTitle[]): string[][] {
  const standings = standingsOf(
    runs,
    point.name,
    peers.map(({ name }) => name),
  );
  const verdict = verdictOf(standings);
  return standings.map((standing, index) => {
    const best = standing.peer === verdict?.winner;
    const title = peers.find(({ name }) => name === standing.peer)?.title ?? standing.peer;
    const mark =
      !best || !verdict ? '' : verdict.certain ? 'best' : verdict.byOverhead ? 'best by bytes' : 'best, within chance';
    return [
      index === 0 ? `**${point.name}**: ${pathText(point)}` : '',
      best ? `**${title}**` : title,
      `${percent(standing.missed.share)} (${standing.lost + standing.late} of ${standing.frames})`,
      `${percent(standing.missed.low)} – ${percent(standing.missed.high)}`,
      String(standing.late),
      overheadText(standing),
      standing.delayMs ? `${standing.delayMs.p50.toFixed(1)} / ${standing.delayMs.p99.toFixed(1)} ms` : '–',
      mark,
    ];
  });
}

function pathText({ forward, back, budgetMs }: BenchPoint): string {
  const ways = forward === back ? `${forward}, both directions` : `${forward}; back ${back}`;
  return `\`${ways}\`, ${budgetMs} ms`;
}

const percent = (share: number): string => `${(share * 100).toFixed(share < 0.001 ? 3 : 2)} %`;

function overheadText({ overhead }: Standing): string {
  const mean = `${(overhead.mean * 100).toFixed(1)} %`;
  return overhead.reach === undefined ? mean : `${mean} ± ${(overhead.reach * 100).toFixed(1)}`;
}
