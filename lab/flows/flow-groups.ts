import type { SummaryRow } from '../tables.ts';
import type { FlowFigures } from './flow-tables.ts';

/** A row of an answer that has flows. */
export type FlowAnswerRow = SummaryRow & Partial<FlowFigures>;

/** Cells that differ only in their seed, with their flows in order. */
export interface FlowGroup {
  readonly forward: string;
  readonly back: string;
  readonly budgetMs: number;
  /** Names of the flows. */
  readonly names: readonly string[];
  /** Rows of each cell, in the order of `names`. */
  readonly cells: readonly (readonly FlowAnswerRow[])[];
}

const withoutSeed = (link: string): string => link.replace(/\s*\bseed=\d+/, '').trim();

/** Groups the rows of an answer by link, budget and flows. */
export function flowGroups(rows: readonly FlowAnswerRow[]): FlowGroup[] {
  const cells = new Map<string, FlowAnswerRow[]>();
  for (const row of rows) if (row.flow !== undefined) cells.set(row.cell, [...(cells.get(row.cell) ?? []), row]);
  const groups = new Map<string, FlowGroup & { cells: FlowAnswerRow[][] }>();
  for (const those of cells.values()) {
    const { forward, back, budgetMs, source } = those[0]!;
    const names = those.map(({ flow }) => flow!);
    const [there, here] = [withoutSeed(forward), withoutSeed(back)];
    const key = JSON.stringify([
      source,
      there,
      here,
      budgetMs,
      those.map(({ flow, parameters }) => [flow, parameters]),
    ]);
    const group = groups.get(key) ?? { forward: there, back: here, budgetMs, names, cells: [] };
    group.cells.push(those);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** Mean of a figure over the seeds, ignoring those where it is not computable; `undefined` when it never is. */
export function meanOf(group: FlowGroup, flow: number, figure: keyof FlowFigures): number | undefined {
  const values = group.cells.map((rows) => rows[flow]![figure]).filter((value) => typeof value === 'number');
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}
