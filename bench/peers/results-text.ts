import { median } from '../table.ts';
import type { PeersRecord, RecordedRun } from './record.ts';
import { resultsTable } from './results-table.ts';

/** Limits beyond which a run measures the machine as much as the program. */
const RELAY_LATE_MS = 5;
const FEED_LATE_MS = 50;

const isDisturbed = ({ relay, mediaWay, outcome }: RecordedRun): boolean =>
  (relay[mediaWay].latenessMs?.p99 ?? 0) > RELAY_LATE_MS || outcome.feedLateMs > FEED_LATE_MS;

/** The measurement conditions and the table: the section between the page's markers. */
export function resultsText(record: PeersRecord): string {
  const { at, machine, peers, seconds, seeds, jobs, scheduling, judgement, absent, failures, runs, points } = record;
  const lateness = runs.flatMap(({ relay, mediaWay }) => relay[mediaWay].latenessMs?.p99 ?? []);
  const loads = runs.map(({ load }) => load);
  const notes = [
    `${at.slice(0, 10)}, ${machine.cores} × ${machine.processor ?? 'unknown processor'}, Node ${machine.node}. ` +
      `${peers.map(({ title, version }) => `${title}: ${version}`).join('; ')}.`,
    `${seeds} seed${seeds === 1 ? '' : 's'} with ${seconds} s counted per point and program, after ` +
      `${judgement.warmUpFrames / 30} s of warm-up; ${jobs} in parallel, ${scheduling} scheduling. A frame is late beyond its budget plus ` +
      `${judgement.toleranceMs} ms. Datagrams left the relay late by ${median(lateness).toFixed(2)} ms ` +
      `(99th percentile, median of the runs; worst ${Math.max(...lateness).toFixed(1)} ms); machine load ` +
      `${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}; ` +
      `${runs.filter(isDisturbed).length} of ${runs.length} runs were disturbed (the relay's 99th percentile above ` +
      `${RELAY_LATE_MS} ms, or a frame handed over more than ${FEED_LATE_MS} ms late).`,
    ...absent.map((text) => `Not measured: ${text}.`),
    ...failures.map((text) => `Failed: ${text}.`),
  ];
  return `${notes.join('\n')}\n\n${resultsTable(runs, points, peers)}`;
}
