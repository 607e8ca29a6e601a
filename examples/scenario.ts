// Which recovery for which network? An experiment as data: a grid of links, budgets and strategies, with repeats.
import { runScenario, SIMULATED_STRATEGIES } from 'dropframe/lab';

export const { runId, rows } = await runScenario(
  {
    name: 'which-recovery',
    question: 'What does each recovery deliver within 150 ms, and what does it cost?',
    source: { synthetic: { fps: 30, kbps: 2_000, keyInterval: 60, seconds: 6 } },
    link: { forward: ['loss=1% delay=20ms', 'loss=5% burst=4 delay=20ms'] },
    strategies: [...SIMULATED_STRATEGIES],
    budgetsMs: [150],
    repeats: 2,
  },
  { onProgress: ({ done, cells }) => done === cells && console.log(`${cells} cells on the virtual clock`) },
);

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value / values.length, 0);

/** Means over the seeds: the share of frames shown in time, and the overhead relative to the video. */
export const table = [0.01, 0.05].flatMap((loss) =>
  SIMULATED_STRATEGIES.map((strategy) => {
    const seeds = rows.filter((row) => row.linkLoss === loss && row.strategy === strategy);
    const inTimePercent = 100 * mean(seeds.map((row) => row.onTimeRatio));
    return { loss, strategy, inTimePercent, overheadPercent: 100 * mean(seeds.map((row) => row.overhead)) };
  }),
);
console.log(`run ${runId.slice(0, 8)}`);
console.table(table);
