import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { cwd, execPath, stderr, stdout } from 'node:process';
import { Failure } from '../../io/os/failure.ts';
import { freePortPair } from './free-port-pair.ts';
import { type InteropRow, NOT_RUN, ROWS } from './rows.ts';
import { type RowResult, runRow } from './run-row.ts';

// Runs every row of docs/INTEROP.md's table, and writes the table between its marks. `--only TEXT`: rows with this text, which are
// printed instead.

const PAGE = join(cwd(), 'docs/INTEROP.md');
const BEGIN = '<!-- begin: npm run bench:interop -->';
const END = '<!-- end -->';

/** @returns the exit code. */
export async function main(parameters: readonly string[]): Promise<number> {
  const only = parameters.includes('--only') ? parameters[parameters.indexOf('--only') + 1] : undefined;
  const results: RowResult[] = [];
  for (const row of [...ROWS, ...NOT_RUN]) {
    const name = nameOf(row);
    if (only !== undefined && !name.includes(only)) continue;
    const folder = mkdtempSync(join(tmpdir(), 'dropframe-'));
    try {
      const [port, other] = [await freePortPair(), await freePortPair()];
      const result = await runRow(row, { port, other, folder, dropframe: [execPath, join(cwd(), 'bin/dropframe.js')] });
      results.push(result);
      stdout.write(`${name}: ${result.text}\n`);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  if (only === undefined) writeTable(results);
  if (results.length > 0) return 0;
  stderr.write(
    `bench:interop: no row has '${only}' in "program, direction, protocol", such as "${nameOf(ROWS[0]!)}"\n`,
  );
  return 2;
}

const nameOf = ({ program, direction, protocol }: InteropRow): string => `${program}, ${direction}, ${protocol}`;

function writeTable(results: readonly RowResult[]): void {
  const page = readFileSync(PAGE, 'utf8');
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Failure(`${PAGE} has no marks for the table`);
  writeFileSync(PAGE, `${before}${BEGIN}\n${tableText(results)}${END}${after}`);
}

function tableText(results: readonly RowResult[]): string {
  const date = new Date().toISOString().slice(0, 10);
  const version = execFileSync('git', ['rev-parse', '--short', 'HEAD']).toString().trim();
  const cells = results.map(({ row, isGood, text, version: theirs }, index) => {
    const result = isGood === false ? `**fails**: ${text}` : text;
    const line = row.steps.length > 0 ? `${index + 1}` : '–';
    return `| ${line} | ${row.program} ${theirs} | ${row.direction} | ${row.protocol} | ${row.recovery} | ${row.codec} | ${result} |`;
  });
  const commands = results.flatMap(({ row }, index) =>
    row.steps.length > 0 ? [`# ${index + 1}`, ...row.steps.map(({ command }) => command)] : [],
  );
  return [
    `${date}, commit ${version}, load ${loadavg()[0]!.toFixed(0)} on ${cpus().length} cores at the end.`,
    '',
    '| line | program | direction | protocol | recovery | codec | result |',
    '|---|---|---|---|---|---|---|',
    ...cells,
    '',
    'The lines as they were run, each program after the one before was ready, on free ports:',
    '',
    '```sh',
    ...commands,
    '```',
    '',
  ].join('\n');
}
