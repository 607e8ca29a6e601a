import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { cwd, execPath, stderr, stdout } from 'node:process';
import { Failure } from '../../io/os/failure.ts';
import { freePortPair } from './free-port-pair.ts';
import type { InteropRow } from './row.ts';
import { NOT_RUN, ROWS } from './rows.ts';
import { type RowResult, runRow } from './run-row.ts';

// Runs every row of docs/INTEROP.md's table, and writes the table between its marks. `--only TEXT`: rows with this text; the others
// keep their cells, with their dates.

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
  if (results.length > 0) {
    writeTable(results);
    return 0;
  }
  stderr.write(
    `bench:interop: no row has '${only}' in "program, direction, protocol", such as "${nameOf(ROWS[0]!)}"\n`,
  );
  return 2;
}

const nameOf = ({ program, direction, protocol }: InteropRow): string => `${program}, ${direction}, ${protocol}`;

function writeTable(results: readonly RowResult[]): void {
  const page = readFileSync(PAGE, 'utf8');
  const [before, rest] = page.split(BEGIN);
  const [table, after] = rest?.split(END) ?? [];
  if (before === undefined || table === undefined || after === undefined)
    throw new Failure(`${PAGE} has no marks for the table`);
  writeFileSync(PAGE, `${before}${BEGIN}\n${tableText(results, table)}${END}${after}`);
}

/** @param former table, whose cells remain for rows that were not run. */
function tableText(results: readonly RowResult[], former: string): string {
  const date = new Date().toISOString().slice(0, 10);
  const version = execFileSync('git', ['rev-parse', '--short', 'HEAD']).toString().trim();
  const when = `${date}, ${version}, ${loadavg()[0]!.toFixed(0)}`;
  const cells = [...ROWS, ...NOT_RUN].map((row, index) => {
    const { program, direction, protocol, recovery, codec, steps } = row;
    const line = steps.length > 0 ? `${index + 1}` : '–';
    const isSame = (cell: string) =>
      cell.includes(` | ${program} `) && cell.includes(` | ${direction} | ${protocol} | ${recovery} | ${codec} | `);
    const result = results.find((each) => each.row === row);
    if (!result) {
      const kept = former.split('\n').find(isSame);
      return kept ? `| ${line} | ${kept.split(' | ').slice(1).join(' | ')}` : undefined;
    }
    const text = result.isGood === false ? `**fails**: ${result.text}` : result.text;
    return `| ${line} | ${program} ${result.version} | ${direction} | ${protocol} | ${recovery} | ${codec} | ${text} | ${when} |`;
  });
  const commands = ROWS.flatMap(({ steps }, index) => [`# ${index + 1}`, ...steps.map(({ command }) => command)]);
  return [
    `On ${cpus().length} cores. The last column: date, commit of this program, load at the end.`,
    '',
    '| line | program | direction | protocol | recovery | codec | result | run |',
    '|---|---|---|---|---|---|---|---|',
    ...cells.filter((cell) => cell !== undefined),
    '',
    'The lines as they were run, each program after the one before was ready, on free ports:',
    '',
    '```sh',
    ...commands,
    '```',
    '',
  ].join('\n');
}
