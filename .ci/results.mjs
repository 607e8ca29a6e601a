// Reads vitest's JSON reports of CI's runs. `results.mjs list FILE` prints the files with failures, one a line;
// `results.mjs sum FILE…` prints each failure, each test that passed only alone, and the counts.
import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';

const [command, ...reports] = process.argv.slice(2);

const load = (path) => JSON.parse(readFileSync(path, 'utf8'));
const nameOf = (file) => relative(process.cwd(), file.name);
/** True of a test that failed, or that never ended because its process did. */
const isFailure = ({ status }) => status === 'failed' || status === 'pending';
/** True for a file whose tests failed, or that could not be loaded. */
const hasFailed = (file) => file.status === 'failed' || file.assertionResults.some(isFailure);
/** The report of the second run of the failed files, each alone. */
const againOf = (path) => path.replace(/\.json$/, '-again.json');

function firstLine(text) {
  return String(text ?? '')
    .split('\n')[0]
    .slice(0, 300);
}

function failuresOf(file) {
  const failed = file.assertionResults.filter(isFailure);
  if (failed.length === 0 && file.status === 'failed') return [`${nameOf(file)}: ${firstLine(file.message)}`];
  return failed.map(
    (test) => `${nameOf(file)} > ${test.fullName}: ${firstLine(test.failureMessages?.[0] ?? 'its process ended')}`,
  );
}

function count(files, sum) {
  for (const file of files) {
    for (const test of file.assertionResults) {
      if (test.status === 'passed') sum.passed += 1;
      else if (isFailure(test)) sum.failed += 1;
      else sum.skipped += 1;
    }
    if (file.status === 'failed' && file.assertionResults.length === 0) sum.failed += 1;
  }
}

if (command === 'list') {
  for (const file of load(reports[0]).testResults.filter(hasFailed)) console.log(nameOf(file));
} else {
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const path of reports) {
    if (!existsSync(path)) {
      console.log(`${path}: the run left no report`);
      sum.failed += 1;
      continue;
    }
    const first = load(path).testResults;
    const again = existsSync(againOf(path)) ? load(againOf(path)).testResults : [];
    const repeated = new Map(again.map((file) => [file.name, file]));
    for (const file of first.filter(hasFailed)) {
      const second = repeated.get(file.name);
      const verdict = second === undefined || hasFailed(second) ? 'FAILED' : 'failed beside others, passed alone';
      for (const line of failuresOf(file)) console.log(`${path}: ${verdict}: ${line}`);
      if (second !== undefined) for (const line of failuresOf(second)) console.log(`${path}: FAILED alone: ${line}`);
    }
    count(
      first.map((file) => repeated.get(file.name) ?? file),
      sum,
    );
  }
  console.log(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
  if (sum.failed > 0 || (sum.skipped > 0 && process.env.DROPFRAME_MANDATORY === '1')) process.exit(1);
}
