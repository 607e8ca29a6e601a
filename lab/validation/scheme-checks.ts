import { type Check, check } from './check.ts';
import { blockFailure, packetResidual } from './closed-forms/block-code.ts';
import { type Experiment, missedShare } from './stream-simulations.ts';

/**
 * Published schemes against the residual loss of their codes. `hairpin` and `tambur` have no closed form: the optimum of
 * the former is recomputed in its tests, and the latter is compared with its authors' figures (docs/EXPERIMENTS.md).
 */

/** One packet per frame every 4 ms, each a key frame, so a missed frame is a missed packet. */
const PACKETS = { framesPerSecond: 250, packets: 1, back: 'delay=20ms' } as const;
/** Cost of a packet through sender and receiver, in random draws. */
const COST_OF_PACKET = 200;

/** Ratio of so many repair packets, slightly below, so that rounding up gives it. */
const ratioOf = (repair: number, source: number): number => (repair - 0.01) / source;

function missed(name: string, parameters: Check['parameters'], predicted: number, experiment: Experiment): Check {
  return check('recovery', name, parameters, {
    predicted,
    trials: 20_000,
    trialCost: COST_OF_PACKET * experiment.packets,
    simulate: (seed, trials) => missedShare(experiment, seed, trials),
  });
}

const lossy = (p: number, burst = 1): string => `loss=${p * 100}% burst=${burst} delay=20ms`;

/** The copy leaves right behind its packet: both are lost when the path stays bad for a step. */
const duplicate = [
  { p: 0.1, burst: 1, predicted: 0.1 ** 2 },
  { p: 0.05, burst: 4, predicted: 0.05 * (1 - 1 / 4) },
].map(({ p, burst, predicted }) =>
  missed('duplicate_missed', { p, burst }, predicted, {
    ...PACKETS,
    strategy: 'duplicate',
    forward: lossy(p, burst),
    budgetMs: 60,
  }),
);

const reedSolomon = [
  missed('rs_block_frame_missed', { n: 12, k: 10, p: 0.05 }, blockFailure({ packets: 12, source: 10 }, 0.05), {
    strategy: 'rs-block',
    framesPerSecond: 30,
    packets: 10,
    forward: lossy(0.05),
    back: 'delay=20ms',
    budgetMs: 100,
    redundancy: ratioOf(2, 10),
  }),
  // A block of four frames ends 12 ms after the first one.
  missed('rs_block_packet_missed', { n: 5, k: 4, p: 0.1 }, packetResidual({ packets: 5, source: 4 }, 0.1), {
    ...PACKETS,
    strategy: 'rs-block',
    parameters: { blockFrames: 4 },
    forward: lossy(0.1),
    budgetMs: 60,
    redundancy: ratioOf(1, 4),
  }),
];

/** Parity over rows only: one packet of each row comes back. */
const flexfec = [
  { columns: 5, p: 0.1 },
  { columns: 10, p: 0.05 },
].map(({ columns, p }) =>
  missed('flexfec_packet_missed', { L: columns, p }, packetResidual({ packets: columns + 1, source: columns }, p), {
    ...PACKETS,
    strategy: 'flexfec',
    parameters: { columns, parity: 'rows' },
    forward: lossy(p),
    budgetMs: 90,
  }),
);

export const SCHEME_CHECKS: readonly Check[] = [...duplicate, ...reedSolomon, ...flexfec];
