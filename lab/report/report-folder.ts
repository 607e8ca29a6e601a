import { readAnswer } from '../answer.ts';
import { listScenarios } from '../ready-made.ts';
import { answerTables } from './answer-tables.ts';
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
  const scenario = readyMade ? name : `${name}.json`;
  return writeReport(directory, answerTables(answer, [`npm run -s dropframe -- lab run ${scenario}`]));
}
