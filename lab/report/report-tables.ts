import type { FlowAnswerRow } from '../flows/flow-groups.ts';
import type { FlowRate } from '../flows/flow-tables.ts';
import type { FrameRecord } from '../tables.ts';

/** Contents of a report. */
export interface ReportTables {
  readonly name: string;
  readonly question: string;
  /** Name and lines of each part of the scenario: sources, links, strategies, …. */
  readonly scenario: readonly (readonly [name: string, lines: readonly string[]])[];
  /** Commands that reproduce the run, one per line. */
  readonly commands: readonly string[];
  readonly runId: string;
  /** Versions of the programs that produced it, by name. */
  readonly versions: Readonly<Record<string, string>>;
  readonly rows: readonly FlowAnswerRow[];
  /** Rates over time of all flows; empty without flows. */
  readonly flowRates: readonly (FlowRate & { readonly cell: string })[];
  /** Returns the frames of a cell without warm-up; `undefined` when not recorded. Called for one case only. */
  readonly frames: (cell: string) => Promise<readonly FrameRecord[] | undefined>;
}
