import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeAtomically } from './store/atomic-file.ts';
import type { FinishedCell } from './store/cell-store.ts';

/** Computing cost of a strategy. Measured, so that it differs from run to run: it is part of no table and no hash. */
export interface StrategyCost {
  readonly strategy: string;
  readonly datagrams: number;
  /** Elapsed time of the threads, milliseconds. */
  readonly wallMs: number;
  /** Virtual time divided by wall time, including warm-up and waiting for a core. */
  readonly timesRealTime: number;
  readonly microsecondsPerDatagram: number;
}

const COST_FILE = 'cost.json';
const COSTS = z.array(
  z.object({
    strategy: z.string(),
    datagrams: z.number(),
    wallMs: z.number(),
    timesRealTime: z.number(),
    microsecondsPerDatagram: z.number(),
  }),
);

/** Returns the cost of each simulated strategy, in the order of the cells. */
export function strategyCosts(cells: readonly FinishedCell[]): StrategyCost[] {
  const simulated = cells.filter(({ measurement }) => measurement === undefined);
  const strategies = [...new Set(simulated.map(({ row }) => row.strategy))];
  return strategies.map((strategy) => {
    const those = cells.filter(({ row }) => row.strategy === strategy);
    const datagrams = those.reduce((sum, { cost }) => sum + cost.datagrams, 0);
    const wallMs = those.reduce((sum, { cost }) => sum + cost.wallMs, 0);
    const simulatedMs = those.reduce((sum, { row }) => sum + row.simulatedUs, 0) / 1_000;
    return {
      strategy,
      datagrams,
      wallMs,
      timesRealTime: Math.round(simulatedMs / Math.max(1, wallMs)),
      microsecondsPerDatagram: Number(((wallMs * 1_000) / Math.max(1, datagrams)).toFixed(2)),
    };
  });
}

/** Writes the costs beside the manifest, which has none: without times, it is the same after every resumption. */
export async function writeCosts(directory: string, costs: readonly StrategyCost[]): Promise<void> {
  await writeAtomically(join(directory, COST_FILE), `${JSON.stringify(costs, null, 2)}\n`);
}

/** Returns the costs in a folder; empty when they are missing or damaged, as no figure depends on them. */
export async function readCosts(directory: string): Promise<readonly StrategyCost[]> {
  try {
    return COSTS.parse(JSON.parse(await readFile(join(directory, COST_FILE), 'utf8')));
  } catch {
    return [];
  }
}
