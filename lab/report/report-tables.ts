import type { FrameRecord, SummaryRow } from '../tables.ts';

/** What a report is made of. */
export interface ReportTables {
  readonly name: string;
  readonly question: string;
  /** What ran, a name and its lines each: sources, links, strategies, … */
  readonly scenario: readonly (readonly [name: string, lines: readonly string[]])[];
  /** How to repeat it; a line for each command. */
  readonly commands: readonly string[];
  readonly runId: string;
  /** Of the programs that made it, by name. */
  readonly versions: Readonly<Record<string, string>>;
  readonly rows: readonly SummaryRow[];
  /** The frames of a cell, without the warm-up's; `undefined`: they were not kept. Asked for one case only. */
  readonly frames: (cell: string) => Promise<readonly FrameRecord[] | undefined>;
}
