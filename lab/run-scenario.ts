import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { Failure } from '../io/os/failure.ts';
import { readTraceFile } from '../io/trace-file.ts';
import { checkKeys } from '../protocol/base/option-checks.ts';
import { malformed } from '../protocol/base/parsed.ts';
import type { FlowFigures } from './flows/flow-tables.ts';
import { expandGrid } from './grid.ts';
import type { SecondPathFigures } from './paths/second-path.ts';
import { runCell } from './run-cell.ts';
import { parseScenario, type ScenarioInput } from './scenario.ts';
import { openSources } from './scenario-sources.ts';
import type { SoundFigures } from './sound/sound-figures.ts';
import { isKernelStrategy } from './strategies.ts';
import type { SummaryRow } from './tables.ts';

/** Options of a scenario run. */
export interface RunScenarioOptions {
  /** Base folder for relative paths in the scenario; the working directory by default. */
  readonly folder?: string;
  /** Called after each cell. */
  readonly onProgress?: (progress: { readonly done: number; readonly cells: number }) => void;
  /** Called with warnings for the user; the run continues. */
  readonly onWarning?: (message: string) => void;
  /** Aborts the run between two cells. */
  readonly signal?: AbortSignal;
}

/** Result of a scenario. */
export interface ScenarioAnswer {
  /** SHA-256 of name, question and cells, hexadecimal: equal for the same scenario on every machine. */
  readonly runId: string;
  /** One row per cell, ordered by source, link, budget, strategy and seed; with flows, one per flow of each. A cell with a second path or with sound has its columns too. */
  readonly rows: readonly (SummaryRow & Partial<FlowFigures> & Partial<SecondPathFigures> & Partial<SoundFigures>)[];
}

/** Keys of `RunScenarioOptions`, complete by its type. */
const OPTIONS = Object.keys({
  folder: true,
  onProgress: true,
  onWarning: true,
  signal: true,
} satisfies Record<keyof RunScenarioOptions, true>);

/**
 * Runs a scenario on the virtual clock, in this thread and without writing files; `dropframe lab run` uses all cores
 * and writes tables. The rows are those of its summary.csv, without picture quality.
 * @throws {Failure} listing all errors in the scenario, or if it has kernel strategies, which run in real time.
 */
export async function runScenario(scenario: ScenarioInput, options: RunScenarioOptions = {}): Promise<ScenarioAnswer> {
  checkKeys(options, OPTIONS);
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
  const rows: ScenarioAnswer['rows'][number][] = [];
  let done = 0;
  for (const { cell } of grid.cells) {
    signal?.throwIfAborted();
    const { row, flows, second, sound } = runCell(cell, files);
    rows.push(...(flows?.rows ?? [{ ...row, ...second, ...sound }]));
    onProgress?.({ done: ++done, cells: grid.cells.length });
    await setImmediate();
  }
  return { runId: grid.runId, rows };
}

/** Name of the scenario in messages. */
const NAME = 'the scenario';
