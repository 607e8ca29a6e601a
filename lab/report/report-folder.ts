import { readAnswer } from '../answer.ts';
import { listScenarios, readScenarioFile } from '../ready-made.ts';
import { answerTables, type ReadableAnswer } from './answer-tables.ts';
import { type WrittenReport, writeReport } from './write-report.ts';

/**
 * Writes the report of an answer into its folder.
 *
 * @throws {Failure} when the folder holds no answer, Vega is not installed, or writing fails.
 */
export async function reportFolder(directory: string): Promise<WrittenReport> {
  const answer = await readAnswer(directory);
  const { name } = answerTables(answer, []);
  const readyMade = (await listScenarios()).some((scenario) => scenario.name === name);
  const command = ['npm run -s dropframe -- lab run', readyMade ? name : `${name}.json`];
  const declared = readyMade ? JSON.parse((await readScenarioFile(name)).text) : {};
  return writeReport(directory, answerTables(answer, [[...command, ...optionsOf(answer, declared)].join(' ')]));
}

interface Declared {
  readonly host?: string;
  readonly strategies?: readonly (string | { readonly strategy: string })[];
}

/**
 * Returns the options of `lab run` that change the scenario to that of the answer. Where the scenario is not known, as it
 * is a file of the user's own: the end hosts, which are no change if it has the same.
 */
export function optionsOf({ manifest }: Pick<ReadableAnswer, 'manifest'>, declared: Declared): readonly string[] {
  const spec = manifest.spec as {
    readonly host?: string;
    readonly strategies?: readonly { readonly strategy: string }[];
  };
  const host = spec.host ?? 'ideal';
  const names = [...new Set(spec.strategies?.map(({ strategy }) => strategy))];
  const all = new Set(declared.strategies?.map((entry) => (typeof entry === 'string' ? entry : entry.strategy)));
  return [
    ...(host !== (declared.host ?? 'ideal') ? [`--host ${host}`] : []),
    ...(names.length < all.size ? [`--strategies ${names.join(',')}`] : []),
  ];
}
