import { percentile } from '../lab/metrics/percentile.ts';
import { milliseconds } from '../protocol/base/units.ts';
import { CONGESTION_CONTROLS, type CongestionControlName } from '../sim/tcp/congestion-control.ts';
import type { BenchPart } from './part.ts';
import { median, textTable } from './table.ts';
import { runTcp } from './tcp-run.ts';

/** Linux 6.18 over a TUN device with delay and loss: p50 and p99 of the frame delay, ms. Runs of about 20 s. */
const KERNEL: Readonly<Record<string, string>> = {
  'reno 1': '953 / 3315',
  'reno 5': '7406 / 13696',
  'cubic 1': '1778 / 3434',
  'cubic 5': '7528 / 17403',
  'bbr 1': '58 / 160',
  'bbr 5': '77–93 / 166–170',
};

const SECONDS = 20;

/**
 * The modelled TCP compared with the kernel's: 16,000-byte frames at 30 per second, round-trip time 50 ms; and its
 * cost.
 */
export const tcpModel: BenchPart = async (context) => {
  const seeds = context.quick ? 2 : 10;
  const rows: string[][] = [];
  const figures: unknown[] = [];
  for (const loss of [0, 1, 2, 5]) {
    for (const congestionControl of CONGESTION_CONTROLS) {
      context.progress(`tcp-model: ${congestionControl}, ${loss} %`);
      const { row, record } = measure(congestionControl, loss, seeds);
      rows.push(row);
      figures.push(record);
    }
  }
  context.progress('tcp-model: cost');
  const long = context.quick ? 120 : 1_200;
  const cost = CONGESTION_CONTROLS.map((name) => {
    const { processorSeconds } = runTcp(name, { loss: 0.002, delay: milliseconds(10) }, long, 1);
    return `${name} ${Math.round(long / processorSeconds)}`;
  });
  const text = [
    `${SECONDS} s of 3.8 Mb/s, round-trip time 50 ms, ${seeds} seeds: medians over seeds of each run's frame delay percentiles, ms.`,
    'Frames incomplete half a second after the end of the stream do not count. Kernel: one run of Linux 6.18 each.',
    '',
    textTable(['path', 'p50', 'p95', 'p99', 'frames', 'Mb/s', 'kernel p50 / p99'], rows),
    '',
    `Simulated seconds per second of CPU time, 0.2 % loss, 20 ms: ${cost.join(', ')}`,
  ].join('\n');
  return { text, figures: { paths: figures, cost } };
};

function measure(congestionControl: CongestionControlName, loss: number, seeds: number) {
  const runs = Array.from({ length: seeds }, (_, index) =>
    runTcp(congestionControl, { loss: loss / 100, delay: milliseconds(25) }, SECONDS, index + 1),
  );
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) =>
    median(runs.map(({ delays }) => percentile(delays, share) ?? Number.NaN)),
  );
  const frames = median(runs.map(({ delays }) => delays.length));
  const rate = median(runs.map(({ megabitsPerSecond }) => megabitsPerSecond));
  const whole = [p50!, p95!, p99!].map((value) => Math.round(value).toString());
  const kernel = KERNEL[`${congestionControl} ${loss}`] ?? '–';
  const row = [`${congestionControl}, ${loss} %`, ...whole, `${frames} of ${SECONDS * 30}`, rate.toFixed(2), kernel];
  return { row, record: { congestionControl, loss, p50, p95, p99, frames, rate, kernel } };
}
