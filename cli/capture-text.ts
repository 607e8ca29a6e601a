import type { CaptureResult } from '../lab/capture/capture-result.ts';
import type { OpenedCapture } from '../lab/capture/open-capture.ts';
import { alignedText } from '../lab/report/text-table.ts';

/** The answer to a capture for a terminal. */
export function captureText({ observation, stream }: OpenedCapture, result: CaptureResult): string {
  const { fit, findings, untold, line, check } = result;
  const ends = observation.sides === 'two' ? 'both ends' : `one end, RTP clock ${observation.clockRate} Hz`;
  const head = `stream 0x${stream.ssrc.toString(16).padStart(8, '0')}, ${fit.loss.packets} packets in ${fit.seconds.toFixed(1)} s, ${ends}`;
  const rows = findings.map(({ name, value, interval, note }) => [name, value, interval, note]);
  const lines = [head, alignedText([['', 'measured', '95 % interval', ''], ...rows])];
  for (const each of untold) lines.push(`  not told: ${each}`);
  const differences = [
    check.delayDifference === undefined ? '' : `delays ${check.delayDifference.toFixed(3)}`,
    check.runDifference === undefined ? '' : `runs of losses ${check.runDifference.toFixed(3)}`,
  ].filter((text) => text !== '');
  if (differences.length > 0 && !result.reports) {
    lines.push(`  fitted against measured, largest difference of the distributions: ${differences.join(', ')}`);
  }
  lines.push(`  link: ${line}`);
  return lines.join('\n');
}

/** The answer as JSON: times in microseconds, shares 0 … 1. */
export function captureJson({ observation, stream, roundTripUs, warnings }: OpenedCapture, result: CaptureResult) {
  const { fit, line, untold, check, reports } = result;
  const { loss, delay, drift, reordering, capacity, duplicates } = fit;
  const { isLate: _, ...reordered } = reordering;
  return {
    kind: 'capture',
    ssrc: stream.ssrc,
    sides: observation.sides,
    packets: loss.packets,
    seconds: fit.seconds,
    link: line,
    loss,
    delay: delay && {
      family: delay.family,
      jitter: delay.jitter,
      order: delay.isOrderTold ? delay.order : 'not told',
      quantiles: delay.quantiles,
      distance: delay.distance,
      correlation: delay.correlation,
    },
    roundTripUs,
    drift,
    reordering: reordered,
    duplicates,
    capacity,
    reports,
    differences: { delays: check.delayDifference, runs: check.runDifference },
    untold,
    warnings,
  };
}
