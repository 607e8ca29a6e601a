import { kernelTick } from '../../io/os/kernel-tick.ts';
import { type Microseconds, microseconds, milliseconds } from '../../protocol/base/units.ts';
import { NO_FILES } from '../cell-source.ts';
import type { Machine } from '../machine.ts';
import { measureCell } from '../measured/measure-cell.ts';
import { measuredCell } from '../measured/measured-frames.ts';
import type { DisturbanceLimits } from '../measured/measurement.ts';
import { percentile } from '../metrics/percentile.ts';
import { CLEAN_DELAY, cleanCell } from './calibration-cells.ts';
import { delaysOf } from './comparison.ts';

/** Resolution of Node's timers. */
const PROCESS_TICK = milliseconds(1);

/**
 * Measures the latencies that this machine adds to a path without loss: medians over all frames, for UDP and TCP, on
 * streams apart from the compared ones.
 */
export async function measuredMachine(options: {
  readonly signal: AbortSignal;
  readonly limits: DisturbanceLimits;
  readonly calm: () => Promise<void>;
}): Promise<Machine> {
  const overUdp = await clean('udp-kernel-nack', options);
  // Without losses the congestion control does not matter; every kernel has Reno.
  const overTcp = await clean('tcp-kernel-reno', options);
  const path = microseconds(Math.round((overUdp.relay + overTcp.relay) / 2));
  return {
    path,
    datagramWakeUp: microseconds(Math.max(0, overUdp.added - path)),
    streamWakeUp: microseconds(Math.max(0, overTcp.added - path)),
    processTick: PROCESS_TICK,
    kernelTick: kernelTick() ?? microseconds(1),
  };
}

async function clean(
  strategy: 'udp-kernel-nack' | 'tcp-kernel-reno',
  options: Parameters<typeof measuredMachine>[0],
): Promise<{ readonly added: Microseconds; readonly relay: Microseconds }> {
  const cell = cleanCell(strategy);
  const run = await measureCell(cell, NO_FILES, options);
  const delays = delaysOf(measuredCell(cell, NO_FILES, run).frames);
  const added = microseconds(Math.round((percentile(delays, 0.5) ?? 0) - CLEAN_DELAY));
  return { added, relay: microseconds(run.measurement.relayUsP50) };
}
