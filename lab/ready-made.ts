import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { causeOf, Failure } from '../io/os/failure.ts';

export interface ReadyMade {
  readonly name: string;
  readonly question: string;
}

/** Folders of the shipped scenarios; compiled files are one level deeper. */
const FOLDERS = ['../samples/scenarios', '../../samples/scenarios'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);

export async function listScenarios(): Promise<ReadyMade[]> {
  for (const folder of FOLDERS) {
    const names = await readdir(folder).catch(() => undefined);
    if (names === undefined) continue;
    const scenarios: ReadyMade[] = [];
    for (const file of names.filter((name) => name.endsWith('.json'))) {
      const { name, question } = JSON.parse(await readFile(join(folder, file), 'utf8')) as ReadyMade;
      scenarios.push({ name, question });
    }
    scenarios.sort((a, b) => (a.name < b.name ? -1 : 1));
    return scenarios;
  }
  return [];
}

/** @param scenario a file, or the name of a shipped scenario. @returns its path and content. */
export async function readScenarioFile(scenario: string): Promise<{ readonly path: string; readonly text: string }> {
  const named = /^[a-z0-9-]+$/.test(scenario) ? FOLDERS.map((folder) => join(folder, `${scenario}.json`)) : [];
  let refused: unknown;
  for (const path of [scenario, ...named]) {
    try {
      return { path, text: await readFile(path, 'utf8') };
    } catch (error) {
      refused ??= error;
    }
  }
  const known = (await listScenarios()).map(({ name }) => name).join(', ');
  const ready = named.length > 0 ? `, and it is not one of the shipped scenarios: ${known}` : '';
  throw new Failure(`cannot read the scenario ${scenario}: ${causeOf(refused)}${ready}`, 2);
}
