import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { stdout } from 'node:process';
import { type Command, Option } from 'commander';
import { now } from '../io/os/clock.ts';
import { Failure } from '../io/os/failure.ts';
import type { AtlasProgress, ComputedAtlas, OpenAtlas } from '../lab/atlas/atlas.ts';
import { ATLAS_WORDS } from '../lab/atlas/setting-words.ts';
import { elapsed, inSeconds } from '../protocol/base/units.ts';
import { type CommonOptions, Context } from './context.ts';
import { durationText } from './duration-text.ts';
import { exitAtOnceOnSignal, Interrupt, Interrupted } from './interrupt.ts';
import { HELP_OPTION, REPORTS } from './option-groups.ts';
import { readWhole } from './options.ts';
import { packageVersion } from './version.ts';

interface AtlasCommandOptions extends CommonOptions {
  readonly cells: number;
  readonly minutes?: number;
  readonly strategies?: string;
  readonly out: string;
  readonly jobs?: number;
  readonly fresh?: boolean;
}

const RUNS = 'Runs:';
const JOBS_MAX = 1_024;
const CELLS_MAX = 1_000_000;
const MINUTES_MAX = 10_000;
/** Points that are computed to estimate the cost. */
const MEASURED_POINTS = 3;
const COUNT = new Intl.NumberFormat('en-US');

export function addAtlasCommand(lab: Command): void {
  lab
    .command('atlas [words...]')
    .description('compute where which strategy is best, finer where it changes, as a table and a page to explore')
    .optionsGroup(RUNS)
    .addOption(
      new Option('--cells <n>', 'cells to compute, each a strategy at a point; a round of refinement is ended')
        .argParser(readWhole({ min: 1, max: CELLS_MAX }, 'a number of cells'))
        .default(10_000),
    )
    .addOption(
      new Option('--minutes <n>', 'longest time to compute; the rounds that are complete are written').argParser(
        readWhole({ min: 1, max: MINUTES_MAX }, 'a number of minutes'),
      ),
    )
    .option('--strategies <names>', 'strategies to compare, separated by commas (default: all that are simulated)')
    .option('--out <folder>', 'folder of the atlas', 'out/atlas-map')
    .addOption(
      new Option('--jobs <n>', 'number of threads').argParser(
        readWhole({ min: 1, max: JOBS_MAX }, 'a number of threads'),
      ),
    )
    .option('--fresh', 'compute the cells in the folder again')
    .optionsGroup(REPORTS)
    .helpOption(...HELP_OPTION)
    .option('--json', 'print the result as JSON on stdout; log as JSON lines')
    .option('-q, --quiet', 'log errors only')
    .option('-v, --verbose', 'log more detail')
    .addHelpText('after', helpText())
    .action(atlasCommand);
}

function helpText(): string {
  const words = Object.entries(ATLAS_WORDS).map(
    ([word, { values, default: absent }]) => `  ${`${word}=`.padEnd(10)}${values} (default: ${absent})`,
  );
  return `
Axes, each with ascending values a,b,c between which the atlas is refined, or one value; then the stream:
${words.join('\n')}

Example:
  dropframe lab atlas --cells 100000 --out out/atlas-map

The same command continues an atlas that was interrupted, to the same bytes, and refines it further with more --cells.
The folder holds atlas.parquet, atlas.json, points.jsonl (the finished points) and index.html, which opens in a browser
without a server. docs/ATLAS.md says what a cell is.`;
}

async function atlasCommand(words: readonly string[], options: AtlasCommandOptions): Promise<void> {
  const [{ computeAtlas, measureSpeed, openAtlas }, { readAtlasSetting }] = await Promise.all([
    import('../lab/atlas/atlas.ts'),
    import('../lab/atlas/atlas-setting.ts'),
  ]);
  const context = new Context(options);
  const names = options.strategies?.split(',').map((name) => name.trim());
  const { cells, out, fresh = false, jobs = availableParallelism() } = options;
  const abort = new AbortController();
  const interrupt = new Interrupt(() => abort.abort());
  const began = now();
  const seconds = () => inSeconds(elapsed(began, now()));
  let timer: ReturnType<typeof setTimeout> | undefined;
  let atlas: OpenAtlas;
  let computed: ComputedAtlas;
  try {
    atlas = await openAtlas(readAtlasSetting(words, names), { out, cells, fresh });
    if (atlas.ignored > 0) context.log.warn(`${atlas.ignored} damaged lines of points.jsonl: computed again`);
    const speed = await measureSpeed(atlas, MEASURED_POINTS, seconds);
    context.print(planText(atlas, { cells, jobs, speed }));
    if (options.minutes) timer = setTimeout(() => abort.abort(), options.minutes * 60_000 - seconds() * 1_000);
    const startedAt = seconds();
    let latest: AtlasProgress | undefined;
    context.showStatus(() => latest && [progressText(latest, cells, seconds() - startedAt)]);
    computed = await computeAtlas(atlas, {
      ...{ cells, jobs, signal: abort.signal },
      onProgress: (at) => {
        latest = at;
      },
    });
  } finally {
    clearTimeout(timer);
    context.closeStatus();
    interrupt.dispose();
  }
  await atlas.log.close();
  const again = `run the same command again${fresh ? ' without --fresh' : ''} to continue`;
  const kept = `${COUNT.format(atlas.log.size)} points are kept in ${out}; ${again}`;
  if (interrupt.requested) throw new Interrupted(`interrupted: ${kept}`);
  const { tree, ended } = computed;
  if (!tree) throw new Failure(`the time was over before the coarse grid of ${atlas.coarse.length} points: ${kept}`);
  await exitAtOnceOnSignal(kept, async () => {
    const [{ writeAtlas }, { writePage }] = await Promise.all([
      import('../lab/atlas/write-atlas.ts'),
      import('../lab/atlas/write-page.ts'),
    ]);
    const { rows, table, manifest } = await writeAtlas(atlas, tree, packageVersion());
    await writePage(out, manifest, table);
    const size = `${(table.length / 1e6).toFixed(2)} MB`;
    context.print(`  ${COUNT.format(rows)} cells, ${tree.splits.length} refinements, ${size}: ${endText(ended)}`);
    context.print(`  atlas.parquet ${manifest.sha256.slice(0, 16)}, in ${out}; explore it: ${join(out, 'index.html')}`);
    if (options.json) {
      const { format, code, sha256 } = manifest;
      const bytes = table.length;
      const result = { kind: 'atlas', directory: out, rows, bytes, ended, format, code, sha256 };
      stdout.write(`${JSON.stringify(result)}\n`);
    }
  });
}

function planText(
  { coarse, log, setting }: OpenAtlas,
  { cells, jobs, speed }: { readonly cells: number; readonly jobs: number; readonly speed: number | undefined },
): string {
  const each = setting.strategies.length;
  const known = log.size * each;
  const plan = `${COUNT.format(Math.max(cells, coarse.length * each))} cells or more, of ${each} strategies; ${COUNT.format(known)} are there`;
  if (speed === undefined) return plan;
  const left = Math.max(0, Math.max(cells, coarse.length * each) - known) / (speed * jobs);
  return `${plan}. ${speed.toFixed(speed < 10 ? 1 : 0)} cells/s per thread now: about ${durationText(left)} with ${jobs} thread${jobs === 1 ? '' : 's'}`;
}

function progressText({ cells, computed, round }: AtlasProgress, wanted: number, seconds: number): string {
  const speed = computed / Math.max(seconds, 1e-3);
  const left = speed > 0 && wanted > cells ? `, ${durationText((wanted - cells) / speed)} left` : '';
  const rate = speed > 0 ? `, ${speed.toFixed(speed < 10 ? 1 : 0)} cells/s` : '';
  return `${COUNT.format(cells)} of ${COUNT.format(wanted)} cells or more${rate}${left} (this round: ${COUNT.format(round)})`;
}

function endText(ended: ComputedAtlas['ended']): string {
  switch (ended) {
    case 'cells':
      return 'as many as asked, to the end of a round';
    case 'resolved':
      return 'no neighbors differ by more than the tolerance, or none has room between them';
    case 'stopped':
      return 'the rounds that were complete when the time was over';
  }
}
