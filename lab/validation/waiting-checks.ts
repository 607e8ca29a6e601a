import { AT_MOST, type Check, check } from './check.ts';
import { meanInOrderWait, meanReorderWait } from './closed-forms/waiting.ts';
import { exactly } from './estimate.ts';
import { type Experiment, meanOverFrames, missedShare, runExperiment } from './stream-simulations.ts';

/** Waiting times of our receiver against their theory. */

const COST_OF_PACKET = 200;
const TRIALS = 40_000;
const WAY_MS = 20;
/**
 * Time until a gap counts as a loss (`RECEIVER_DEFAULTS.reorderWait`), and interval of requests at a round trip of 40
 * ms.
 */
const REORDER_WAIT_MS = 3;
const ROUND_TRIP_MS = 2 * WAY_MS;
const REPEAT_MS = ROUND_TRIP_MS * (9 / 8);

const single = { packets: 1, release: 'asap', back: `delay=${WAY_MS}ms`, budgetMs: 600 } as const;

/** Mean time from completion of a frame to its release, milliseconds. */
const meanHoldingTime = (experiment: Experiment) => (seed: number, trials: number) =>
  meanOverFrames(
    experiment,
    (frames, row) => {
      const wait = frames.time(row, 'renderedAt') - frames.time(row, 'completeAt');
      return Number.isNaN(wait) ? undefined : wait / 1_000;
    },
    seed,
    trials,
  );

/** Head-of-line blocking: packets wait in order until a lost one has been requested and received. */
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
      simulate: meanHoldingTime({
        ...single,
        strategy: 'nack',
        framesPerSecond,
        forward: `loss=${loss * 100}% delay=${WAY_MS}ms`,
        redundancy: 1,
      }),
    },
  );
});

/** Reordering without loss. */
const reorderBuffer = [10, 20, 40].map((jitter) =>
  check(
    'waiting',
    'reorder_buffer_ms',
    { J: jitter, D: 2.5 },
    {
      predicted: meanReorderWait(jitter, 2.5),
      trials: TRIALS,
      trialCost: COST_OF_PACKET,
      simulate: meanHoldingTime({
        ...single,
        strategy: 'reorder',
        framesPerSecond: 400,
        forward: `delay=${WAY_MS}ms jitter=${jitter}ms`,
      }),
    },
  ),
);

/** Window of the fastest transit from which latency counts, packets; its minimum is slightly above the path's. */
const FASTEST_OF = 320;

const buffered = (jitter: number, latency: number): Experiment => ({
  strategy: 'reorder',
  framesPerSecond: 400,
  packets: 1,
  forward: `delay=${WAY_MS}ms jitter=${jitter}ms`,
  back: `delay=${WAY_MS}ms`,
  budgetMs: WAY_MS + latency,
});

/** Fixed play-out delay: all frames have the same age when displayed, and later ones are lost. */
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
      // The clock follows the window minimum slowly, so the prediction is accurate to a few percent.
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
