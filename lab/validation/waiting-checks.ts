import { AT_MOST, type Check, check } from './check.ts';
import { meanInOrderWait, meanReorderWait } from './closed-forms/waiting.ts';
import { exactly } from './estimate.ts';
import { type Experiment, meanOverFrames, missedShare, runExperiment } from './stream-simulations.ts';

/** How long our receiver holds back what came, against the arithmetic of its kind. */

const COST_OF_PACKET = 200;
const TRIALS = 40_000;
const WAY_MS = 20;
/** Until a gap is taken for a loss (`RECEIVER_DEFAULTS.reorderWait`), and between two requests of a round trip of 40 ms. */
const REORDER_WAIT_MS = 3;
const ROUND_TRIP_MS = 2 * WAY_MS;
const REPEAT_MS = ROUND_TRIP_MS * (9 / 8);

const single = { packets: 1, release: 'asap', back: `delay=${WAY_MS}ms`, budgetMs: 600 } as const;

/** Mean time from when a frame is whole to when it is handed on, milliseconds. */
const held = (experiment: Experiment) => (seed: number, trials: number) =>
  meanOverFrames(
    experiment,
    (frames, row) => {
      const wait = frames.time(row, 'renderedAt') - frames.time(row, 'completeAt');
      return Number.isNaN(wait) ? undefined : wait / 1_000;
    },
    seed,
    trials,
  );

/** Behind a lost packet all wait for it, in order, until it was asked for and came. */
const headOfLine = [
  { loss: 0.005, framesPerSecond: 250 },
  { loss: 0.01, framesPerSecond: 250 },
  { loss: 0.05, framesPerSecond: 250 },
].map(({ loss, framesPerSecond }) => {
  const spacing = 1_000 / framesPerSecond;
  const first = spacing + REORDER_WAIT_MS + ROUND_TRIP_MS;
  return check(
    'waiting',
    'nack_head_of_line_ms',
    { p: loss, R: ROUND_TRIP_MS, D: spacing },
    {
      predicted: meanInOrderWait({ loss, spacing, firstRepair: first, repeat: REPEAT_MS }),
      trials: TRIALS,
      trialCost: COST_OF_PACKET,
      simulate: held({
        ...single,
        strategy: 'nack',
        framesPerSecond,
        forward: `loss=${loss * 100}% delay=${WAY_MS}ms`,
        redundancy: 1,
      }),
    },
  );
});

/** Nothing is lost, but packets overtake each other. */
const reorderBuffer = [10, 20, 40].map((jitter) =>
  check(
    'waiting',
    'reorder_buffer_ms',
    { J: jitter, D: 2.5 },
    {
      predicted: meanReorderWait(jitter, 2.5),
      trials: TRIALS,
      trialCost: COST_OF_PACKET,
      simulate: held({
        ...single,
        strategy: 'reorder',
        framesPerSecond: 400,
        forward: `delay=${WAY_MS}ms jitter=${jitter}ms`,
      }),
    },
  ),
);

/** The fastest of the last 320 packets is what latency is counted from: not quite the path's own. */
const FASTEST_OF = 320;

const buffered = (jitter: number, latency: number): Experiment => ({
  strategy: 'reorder',
  framesPerSecond: 400,
  packets: 1,
  forward: `delay=${WAY_MS}ms jitter=${jitter}ms`,
  back: `delay=${WAY_MS}ms`,
  budgetMs: WAY_MS + latency,
});

/** Every frame is as old as any other when it is shown, and what comes later is lost. */
const fixedLatency = [
  { jitter: 40, latency: 30 },
  { jitter: 40, latency: 36 },
].flatMap(({ jitter, latency }) => [
  check(
    'waiting',
    'fixed_latency_missed',
    { J: jitter, latency },
    {
      predicted: 1 - (latency + jitter / (FASTEST_OF + 1)) / jitter,
      // The clock follows the fastest of a window, and slowly: that is known to a few per cent only.
      agreement: { kind: 'within', share: 0.05 },
      trials: TRIALS,
      trialCost: COST_OF_PACKET,
      simulate: (seed, trials) => missedShare(buffered(jitter, latency), seed, trials),
    },
  ),
  check(
    'waiting',
    'fixed_latency_spread_ms',
    { J: jitter, latency },
    {
      predicted: 1,
      agreement: AT_MOST,
      trials: 10_000,
      trialCost: COST_OF_PACKET,
      simulate: (seed, trials) => {
        const { row } = runExperiment(buffered(jitter, latency), seed, trials);
        return exactly(((row.renderUsP99 ?? 0) - (row.renderUsP50 ?? 0)) / 1_000);
      },
    },
  ),
]);

export const WAITING_CHECKS: readonly Check[] = [...headOfLine, ...reorderBuffer, ...fixedLatency];
