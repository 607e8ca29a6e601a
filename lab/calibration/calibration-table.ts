import type { DisturbanceLimits } from '../measured/measurement.ts';
import { alignedText, markdownTable } from '../report/text-table.ts';
import { type Calibration, conclude } from './calibrate.ts';
import { type Comparison, LIMITS, type Side, TOLERANCE } from './comparison.ts';

const HEADER = [
  'path',
  'strategy',
  'p50 ms sim | kernel',
  'p95 ms',
  'p99 ms',
  `KS | with ${TOLERANCE / 1_000} ms`,
  'p95 ratio',
  'p99 ratio',
  'goodput ratio',
  'lost',
  'late ms | runs',
  'verdict',
];

/** One row per comparison. Ratios are simulator divided by kernel. */
export function calibrationRows(outcomes: readonly Comparison[]): readonly (readonly string[])[] {
  return outcomes.map((outcome) => {
    const { simulated, measured, measurement, misses } = outcome;
    const pair = (read: (side: Side) => number) => `${ms(read(simulated))} | ${ms(read(measured))}`;
    const quotient = (read: (side: Side) => number) => ratio(read(simulated), read(measured));
    const late = Math.max(measurement.relayUsMax, measurement.timerUsMax) / 1_000;
    return [
      outcome.name,
      outcome.strategy,
      pair(({ p50 }) => p50),
      pair(({ p95 }) => p95),
      pair(({ p99 }) => p99),
      `${outcome.distance.toFixed(2)} | ${outcome.distanceTolerant.toFixed(2)}`,
      quotient(({ p95 }) => p95),
      quotient(({ p99 }) => p99),
      quotient(({ goodput }) => goodput),
      `${outcome.lostSimulated} | ${outcome.lostMeasured}`,
      `${late.toFixed(1)} | ${measurement.attempts}${measurement.disturbed ? ' disturbed' : ''}`,
      misses.length === 0 ? 'agrees' : `${misses.join(', ')}${outcome.withinChance ? ' (chance)' : ''}`,
    ];
  });
}

export function calibrationText(outcomes: readonly Comparison[]): string {
  const calibration = conclude(outcomes);
  const tables = [
    [HEADER, ...calibrationRows(outcomes)],
    [AGREEMENT_HEADER, ...agreementRows(calibration)],
  ];
  return [...tables.map(alignedText), `  ${machineText(calibration)}`].join('\n\n');
}

/** States the latencies of the simulated ends, which are not part of the protocols. */
function machineText({ machine }: Calibration): string {
  if (machine === undefined) return 'The simulated ends had no latency.';
  const { path, datagramWakeUp, streamWakeUp, processTick, kernelTick } = machine;
  return (
    `The simulated ends had the latencies of this machine, measured before on a path without loss: ${exactMs(path)} ms until the kernel has ` +
    `a packet, ${exactMs(datagramWakeUp)} ms more until a process has a datagram, ${exactMs(streamWakeUp)} ms until one has read a connection; ` +
    `process timers have a resolution of ${exactMs(processTick)} ms, those of the kernel's TCP one of ${exactMs(kernelTick)} ms.`
  );
}

const exactMs = (microseconds: number): string => String(Math.round(microseconds / 10) / 100);

/** One row per strategy. */
export function agreementRows({ strategies }: Calibration): readonly (readonly string[])[] {
  return strategies.map(({ strategy, cells, agreeing, calm, calmAgreeing }) => [
    strategy,
    `${agreeing} of ${cells}`,
    `${calmAgreeing} of ${calm}`,
  ]);
}

const AGREEMENT_HEADER = ['strategy', 'agree', 'of the undisturbed'];

export function calibrationConclusion(calibration: Calibration): string {
  const { cells, agreeing, differing, withinChance, disturbed, disturbedDiffering, repeated } = calibration;
  const chance = withinChance > 0 ? ` (${withinChance} of them within the variation between seeds)` : '';
  const machine =
    disturbed > 0 ? `; the machine disturbed ${disturbed} in every attempt, of which ${disturbedDiffering} differ` : '';
  const again = repeated > 0 ? `; ${repeated} runs were repeated` : '';
  return `${agreeing} of ${cells} agree, ${differing} differ${chance}${machine}${again}`;
}

/** The section between the markers in docs/VALIDATION.md. */
export function calibrationMarkdown(outcomes: readonly Comparison[], limits: DisturbanceLimits): string {
  const calibration = conclude(outcomes);
  const { udp, tcp } = LIMITS;
  const share = (value: number) => `${Math.round(value * 100)} %`;
  return `Each cell was run once in the simulator and once over Linux ${calibration.kernel.join(', ')} (\`dropframe lab calibrate\`), with the same
access units, links and seeds. Delays are from capture to decodable. Limits: UDP, KS distance of the delays at most ${udp.distance}, where
${TOLERANCE / 1_000} ms either way are tolerated (the plain distance is listed first), and p99 within ${udp.p99Us / 1_000} ms or ${share(udp.p99Share)}; TCP, p95 within ${share(tcp.p95Share)} and goodput within
${share(tcp.goodputShare)}. A run in which a frame or packet was more than ${limits.lateUsMax / 1_000} ms late was repeated, with at most ${limits.attemptsMax} attempts.

**${calibrationConclusion(calibration)}.**

${machineText(calibration)}

${markdownTable(AGREEMENT_HEADER, agreementRows(calibration))}

${markdownTable(withSlashes(HEADER), calibrationRows(outcomes).map(withSlashes))}
`;
}

/** In Markdown the two sides of a pair are divided by a stroke that is no border of a cell. */
const withSlashes = (cells: readonly string[]): readonly string[] => cells.map((cell) => cell.replaceAll('|', '/'));

const ms = (microseconds: number): string =>
  microseconds === Number.POSITIVE_INFINITY ? 'never' : (microseconds / 1_000).toFixed(1);

function ratio(simulated: number, measured: number): string {
  if (simulated === measured) return '1.00';
  return Number.isFinite(simulated) && Number.isFinite(measured) ? (simulated / measured).toFixed(2) : '–';
}
