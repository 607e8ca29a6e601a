import { NO_FILES } from '../lab/cell-source.ts';
import { describeGrid, expandGrid } from '../lab/grid.ts';
import { answerTables } from '../lab/report/answer-tables.ts';
import { pageColors } from '../lab/report/inline-drawing.ts';
import { operatingPoints } from '../lab/report/operating-point.ts';
import { cases, referenceCase } from '../lab/report/reference-case.ts';
import { reportPage } from '../lab/report/report-page.ts';
import { strategyStyles } from '../lab/report/strategy-style.ts';
import { runCell } from '../lab/run-cell.ts';
import { manyOf, parseScenario } from '../lab/scenario.ts';
import { syntheticSources } from '../lab/synthetic-sources.ts';
import type { FromLab, LabOrder } from '../protocol/page/lane-host-message.ts';
import { fetchTraces } from './page-files.ts';

/** The part of a worker's global scope (HTML Living Standard §10.2.1.2) that is used here. */
interface Scope {
  postMessage(message: FromLab): void;
  onmessage: ((event: { readonly data: LabOrder }) => void) | null;
}

/** The way to the same figures with plots. */
const COMMANDS = [
  '# Save "Scenario file" on the page, and run it with the same commit of dropframe for the plots and all tables:',
  'npm run -s dropframe -- lab run dropframe-scenario.json --out out/from-the-page',
];

const scope = globalThis as unknown as Scope;

/** Runs a scenario on the virtual clock: the cells, rows and tables are those of `dropframe lab run`. */
async function run(text: string): Promise<string> {
  const traces = new Map<string, string>();
  const readTrace = await fetchTraces();
  const scenario = parseScenario(text, 'the scenario', (name) => {
    const content = readTrace(name);
    if (content.ok) traces.set(name, content.value);
    return content;
  });
  const sources = manyOf(scenario.source).flatMap((source) => {
    if ('file' in source) throw new Error('a page can only use synthetic streams, not files');
    return syntheticSources(source);
  });
  const grid = expandGrid(scenario, sources, traces);
  const files = { ...NO_FILES, traces };
  const rows = grid.cells.map(({ cell }, index) => {
    const { row } = runCell(cell, files);
    scope.postMessage({ kind: 'progress', share: (index + 1) / grid.cells.length });
    return row;
  });
  const manifest = {
    runId: grid.runId,
    spec: describeGrid(scenario, sources, grid),
    env: { program: 'dropframe, in a worker of this page' },
  };
  const tables = answerTables({ manifest, rows, frames: async () => undefined }, COMMANDS);
  const points = operatingPoints(rows.filter(({ frames }) => frames > 0));
  const styles = strategyStyles(points.map(({ strategy }) => strategy));
  const content = { points, shown: referenceCase(cases(points)), drawings: [], styles, colors: pageColors(styles) };
  return reportPage(tables, content);
}

scope.onmessage = ({ data }) => {
  run(data.scenario).then(
    (html) => scope.postMessage({ kind: 'report', html }),
    (error: unknown) => scope.postMessage({ kind: 'refused', why: (error as Error).message }),
  );
};
