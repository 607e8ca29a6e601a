import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { Failure } from '../io/os/failure.ts';
import { readTraceFile } from '../io/trace-file.ts';
import { malformed } from '../protocol/base/parsed.ts';
import { expandGrid } from './grid.ts';
import { runCell } from './run-cell.ts';
import { parseScenario, type ScenarioInput } from './scenario.ts';
import { openSources } from './scenario-sources.ts';
import { isKernelStrategy } from './strategies.ts';
import type { SummaryRow } from './tables.ts';

/** How a scenario is run. */
export interface RunScenarioOptions {
  /** Folder that the scenario's files are relative to. Default: the working directory. */
  readonly folder?: string;
  /** Called after each cell. */
  readonly onProgress?: (progress: { readonly done: number; readonly cells: number }) => void;
  /** Called with what the user should know although it works. */
  readonly onWarning?: (message: string) => void;
  /** Ends the run between two cells. */
  readonly signal?: AbortSignal;
}

/** The answer of a scenario. */
export interface ScenarioAnswer {
  /** SHA-256 of all that decides the answer: the same scenario has the same, on any machine. */
  readonly runId: string;
  /** A row for each cell: source × link × budget × strategy × seed, in that order. */
  readonly rows: readonly SummaryRow[];
}

/**
 * Runs a scenario on the virtual clock, in this thread, and keeps nothing on the disk; `dropframe lab run` uses all cores
 * and writes tables. The rows are those of its summary.csv, without quality of pictures.
 * @throws {Failure} with every mistake in the scenario, and when it asks for strategies that the kernel runs.
 */
export async function runScenario(scenario: ScenarioInput, options: RunScenarioOptions = {}): Promise<ScenarioAnswer> {
  const { folder = '.', onProgress, onWarning = () => {}, signal } = options;
  const traces = new Map<string, string>();
  const checked = parseScenario(JSON.stringify(scenario), NAME, (name) => {
    const content = readTraceFile(join(folder, name), name);
    if (!content.ok) return malformed(content.malformed.replace(join(folder, name), name));
    traces.set(name, content.value);
    return content;
  });
  const sources = await openSources(checked, join(folder, NAME), onWarning);
  const grid = expandGrid(checked, sources.descriptions, traces);
  const measured = grid.cells.find(({ cell }) => isKernelStrategy(cell.strategy));
  if (measured) {
    throw new Failure(`${NAME}: ${measured.cell.strategy} runs in real time: \`dropframe lab run\` measures it`, 2);
  }
  const files = { media: sources.files, traces };
  const rows: SummaryRow[] = [];
  for (const { cell } of grid.cells) {
    signal?.throwIfAborted();
    rows.push(runCell(cell, files).row);
    onProgress?.({ done: rows.length, cells: grid.cells.length });
    await setImmediate();
  }
  return { runId: grid.runId, rows };
}

/** In messages. */
const NAME = 'the scenario';
