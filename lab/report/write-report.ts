import { join } from 'node:path';
import { flowGroups } from '../flows/flow-groups.ts';
import { makeDirectory, writeAtomically } from '../store/atomic-file.ts';
import type { FrameRecord } from '../tables.ts';
import { bestPlot, missMapPlot } from './best-plot.ts';
import { commaSeparated } from './comma-separated.ts';
import { delayPlot } from './delay-plot.ts';
import { type Drawer, openDrawer, specification } from './draw-plot.ts';
import { flowsPlot } from './flows-plot.ts';
import { freezePlot } from './freeze-plot.ts';
import { frontierPlot, soundPlot } from './frontier-plot.ts';
import { inlineDrawing, pageColors } from './inline-drawing.ts';
import { operatingPoints } from './operating-point.ts';
import { overheadPlot } from './overhead-plot.ts';
import type { Plot } from './plot.ts';
import { type Case, cases, referenceCase } from './reference-case.ts';
import { type Drawing, reportPage } from './report-page.ts';
import type { ReportTables } from './report-tables.ts';
import { seedsPlot } from './seeds-plot.ts';
import { strategyStyles } from './strategy-style.ts';
import { timelinePlot } from './timeline-plot.ts';

export interface WrittenReport {
  /** Path of the page. */
  readonly page: string;
  /** Names of its plots. */
  readonly plots: readonly string[];
  /** Vega's warnings about specifications; normally empty. */
  readonly warnings: readonly string[];
}

/** Builds all plots that the tables have data for, in page order. */
export async function plotsOf(
  tables: ReportTables,
): Promise<{ readonly shown: Case | undefined; readonly plots: readonly Plot[] }> {
  const points = operatingPoints(tables.rows.filter(({ frames }) => frames > 0));
  const shown = referenceCase(cases(points));
  const kept = new Map<string, readonly FrameRecord[]>();
  for (const { cell } of shown?.points.flatMap(({ rows }) => rows) ?? []) {
    const frames = await tables.frames(cell);
    if (frames) kept.set(cell, frames);
  }
  const frames = (cell: string) => kept.get(cell);
  const plots = [
    flowsPlot(tables),
    frontierPlot(points),
    soundPlot(points),
    delayPlot(shown, frames),
    timelinePlot(shown, frames),
    bestPlot(points),
    missMapPlot(points),
    overheadPlot(points),
    freezePlot(shown),
    seedsPlot(shown),
  ];
  return { shown, plots: plots.filter((plot) => plot !== undefined) };
}

/**
 * Writes `report.html` and, in `plots/`, the SVG, data and Vega-Lite specification of each plot. Files are written
 * atomically. @throws {Failure} when plots cannot be drawn (exit code 3) or a file cannot be written (1).
 */
export async function writeReport(
  directory: string,
  tables: ReportTables,
  open: () => Promise<Drawer> = openDrawer,
): Promise<WrittenReport> {
  const drawer = await open();
  const points = operatingPoints(tables.rows.filter(({ frames }) => frames > 0));
  const flows = flowGroups(tables.rows).flatMap(({ names }) => names.map((name) => name.replace(/-(\d+)$/, ' $1')));
  const styles = strategyStyles([...points.map(({ strategy }) => strategy), ...flows]);
  const colors = pageColors(styles);
  const { shown, plots } = await plotsOf(tables);
  const beside = join(directory, 'plots');
  await makeDirectory(beside);
  const warnings: string[] = [];
  const drawings: Drawing[] = [];
  for (const plot of plots) {
    const warn = (text: string) => warnings.push(`${plot.name}: ${text}`);
    const inline = (svg: string, layout: 'wide' | 'narrow') =>
      inlineDrawing(
        svg,
        { id: `${plot.name}-${layout}`, title: plot.title, alternative: plot.alternative, className: layout },
        colors,
      );
    const wide = await drawer.draw(plot, 'wide', warn);
    const narrow = await drawer.draw(plot, 'narrow', warn);
    const spec = specification(plot, 'wide', `${plot.name}.csv`);
    await writeAtomically(join(beside, `${plot.name}.svg`), `${wide}\n`);
    await writeAtomically(join(beside, `${plot.name}.csv`), commaSeparated(plot.rows));
    await writeAtomically(join(beside, `${plot.name}.vl.json`), `${JSON.stringify(spec, null, 2)}\n`);
    drawings.push({ plot, wide: inline(wide, 'wide'), narrow: inline(narrow, 'narrow') });
  }
  await writeAtomically(
    join(directory, 'report.html'),
    reportPage(tables, { points, shown, drawings, styles, colors }),
  );
  return { page: join(directory, 'report.html'), plots: plots.map(({ name }) => name), warnings };
}
