import { z } from 'zod';
import { Failure } from '../../io/os/failure.ts';
import type { FlowRate } from '../flows/flow-tables.ts';
import type { FrameRecord, SummaryRow } from '../tables.ts';
import type { ReportTables } from './report-tables.ts';

/** The parts of an answer that a report needs; provided by `readAnswer`. */
export interface ReadableAnswer {
  readonly manifest: {
    readonly runId: string;
    readonly spec: unknown;
    readonly env: Readonly<Record<string, string>>;
  };
  readonly rows: readonly SummaryRow[];
  frames(cell: string): Promise<readonly FrameRecord[] | undefined>;
  /** Rates over time of all flows; absent without flows. */
  readonly flowRates?: readonly (FlowRate & { readonly cell: string })[];
}

const pathLines = { forward: z.string(), back: z.string() };

const description = z.looseObject({
  name: z.string(),
  question: z.string(),
  links: z.array(z.looseObject({ ...pathLines, second: z.object(pathLines).optional() })).default([]),
  budgetsMs: z.array(z.number()).default([]),
  seeds: z.array(z.number()).default([]),
  warmUpSeconds: z.number().default(0),
  release: z.string().default('deadline'),
  host: z.string().default('ideal'),
});

/**
 * Versions on which the figures depend. Those of Node and of the machine are in the manifest only: the report of a run
 * is the same on every machine.
 */
const VERSIONS_OF_FIGURES = ['dropframe', 'code', 'mode', 'ffmpeg'] as const;

/**
 * Builds the tables of a report from an answer.
 *
 * @param commands commands that reproduce the answer.
 * @throws {Failure} when the manifest does not describe the scenario.
 */
export function answerTables(
  { manifest, rows, frames, flowRates = [] }: ReadableAnswer,
  commands: readonly string[],
): ReportTables {
  const spec = description.safeParse(manifest.spec);
  if (!spec.success) {
    const { path, message } = spec.error.issues[0]!;
    throw new Failure(`manifest.json is damaged (spec.${path.join('.')}: ${message}); run the scenario again`);
  }
  const { name, question, links, budgetsMs, seeds, warmUpSeconds, release, host } = spec.data;
  const each = (pick: (row: SummaryRow) => string) => [...new Set(rows.map(pick))];
  const counts = new Map(rows.map((row) => [row.cell, row.frames]));
  return {
    name,
    question,
    scenario: [
      ['sources', each((row) => row.source)],
      [
        'links forward ⇄ back',
        links.map(({ second, ...first }) => [first, ...(second ? [second] : [])].map(textOf).join(' ∥ ')),
      ],
      ['strategies', each((row) => `${row.strategy} ${row.parameters}`.trim())],
      ['budgets', [budgetsMs.map((budget) => `${budget} ms`).join(', ')]],
      ['seeds', [seedText(seeds)]],
      ['warm-up', [`${warmUpSeconds} s`]],
      ['release', [release]],
      ['end hosts', [host]],
    ],
    commands,
    runId: manifest.runId,
    versions: Object.fromEntries(
      VERSIONS_OF_FIGURES.flatMap((name) => (manifest.env[name] ? [[name, manifest.env[name]]] : [])),
    ),
    rows,
    flowRates,
    frames: async (cell) => {
      const count = counts.get(cell) ?? 0;
      const all = await frames(cell);
      // Warm-up frames come first and belong to no row.
      return count > 0 ? all?.slice(-count) : all && [];
    },
  };
}

const textOf = ({ forward, back }: { readonly forward: string; readonly back: string }): string =>
  `${forward || 'clean'} ⇄ ${back || 'clean'}`;

/** Formats consecutive seeds as a range (`1 … 3`), and others individually. */
function seedText(seeds: readonly number[]): string {
  const first = seeds[0] ?? 0;
  const inRow = seeds.length > 2 && seeds.every((seed, index) => seed === first + index);
  if (inRow) return `${first} … ${first + seeds.length - 1}`;
  const shown = seeds.slice(0, 20).join(', ');
  return seeds.length > 20 ? `${shown}, … (${seeds.length})` : shown;
}
