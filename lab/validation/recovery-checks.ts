import { AT_MOST, type Check, check } from './check.ts';
import { blockFailure } from './closed-forms/block-code.ts';
import { decodableShare, frameSuccess } from './closed-forms/group-of-pictures.ts';
import { frameCompleteWithin, residualLoss, residualLossWithLostRequests } from './closed-forms/retransmission.ts';
import { exactly } from './estimate.ts';
import { type Experiment, missedShare, repairOverhead } from './stream-simulations.ts';

/** Our sender and receiver against the residual loss of their recovery scheme. */

/** One packet per frame every 4 ms, each a key frame, so a missed frame is a missed packet. */
const PACKETS = { framesPerSecond: 250, packets: 1 } as const;
/**
 * One-way delay 20 ms: a gap is requested after about 7 ms and again after 45 ms, and a reply takes 40 ms. The index is
 * the number of possible requests.
 */
const LATENCY_MS: readonly number[] = [20, 75, 120, 165];
const WAY_MS = 20;

const percent = (share: number): string => `${share * 100}%`;
const trialsOf = (predicted: number): number => Math.max(20_000, Math.ceil(100 / predicted));

function missed(name: string, parameters: Check['parameters'], predicted: number, experiment: Experiment): Check {
  return check('recovery', name, parameters, {
    predicted,
    trials: trialsOf(predicted),
    trialCost: COST_OF_PACKET * experiment.packets,
    simulate: (seed, trials) => missedShare(experiment, seed, trials),
  });
}

/** Cost of a packet through sender and receiver, in random draws. */
const COST_OF_PACKET = 200;

/** Residual loss with time for a given number of requests. */
const requests = [
  { loss: 0.05, attempts: 1 },
  { loss: 0.1, attempts: 1 },
  { loss: 0.1, attempts: 2 },
  { loss: 0.2, attempts: 2 },
  { loss: 0.2, attempts: 3 },
].map(({ loss, attempts }) =>
  missed('nack_residual', { p: loss, n: attempts }, residualLoss(loss, attempts), {
    ...PACKETS,
    strategy: 'nack',
    forward: `loss=${percent(loss)} delay=${WAY_MS}ms`,
    back: `delay=${WAY_MS}ms`,
    budgetMs: WAY_MS + LATENCY_MS[attempts]!,
    redundancy: 1,
  }),
);

const lostRequests = [
  { loss: 0.1, requestLoss: 0.1, attempts: 1 },
  { loss: 0.1, requestLoss: 0.1, attempts: 2 },
  { loss: 0.1, requestLoss: 0.3, attempts: 2 },
].map(({ loss, requestLoss, attempts }) =>
  missed(
    'nack_lossy_feedback',
    { p: loss, q: requestLoss, n: attempts },
    residualLossWithLostRequests(loss, requestLoss, attempts),
    {
      ...PACKETS,
      strategy: 'nack',
      forward: `loss=${percent(loss)} delay=${WAY_MS}ms`,
      back: `loss=${percent(requestLoss)} delay=${WAY_MS}ms`,
      budgetMs: WAY_MS + LATENCY_MS[attempts]!,
      redundancy: 1,
    },
  ),
);

/** Repair packets per frame: equivalent to a code of which any k packets suffice. */
const repaired = [
  { source: 10, repair: 1, loss: 0.05 },
  { source: 10, repair: 2, loss: 0.05 },
  { source: 14, repair: 2, loss: 0.05 },
  { source: 10, repair: 3, loss: 0.1 },
].map(({ source, repair, loss }) =>
  missed(
    'fec_frame_missed',
    { n: source + repair, k: source, p: loss },
    blockFailure({ packets: source + repair, source }, loss),
    {
      strategy: 'fec',
      framesPerSecond: 30,
      packets: source,
      forward: `loss=${percent(loss)} delay=${WAY_MS}ms`,
      back: `delay=${WAY_MS}ms`,
      budgetMs: 100,
      // Slightly below the ratio, so that rounding up gives it.
      redundancy: (repair - 0.01) / source,
    },
  ),
);

const frame = { framesPerSecond: 30, forward: 'loss=1% delay=20ms', back: 'delay=20ms', budgetMs: 100 } as const;

/** Frames of several packets, and dependent frames. */
const frames = [
  ...[3, 14].map((packets) =>
    missed('frame_missed', { p: 0.01, N: packets }, 1 - frameSuccess(0.01, packets), {
      ...frame,
      strategy: 'none',
      packets,
    }),
  ),
  ...[
    [3, 30],
    [3, 60],
    [7, 15],
  ].map(([packets, keyInterval]) =>
    missed(
      'frames_undecodable',
      { p: 0.01, N: packets!, G: keyInterval! },
      1 - decodableShare(frameSuccess(0.01, packets!), keyInterval!),
      { ...frame, strategy: 'none', packets: packets!, keyInterval: keyInterval! },
    ),
  ),
  // The loss of a frame's end is noticed after about 30 ms, and requested again 112 ms later.
  missed('nack_frame_missed', { p: 0.05, N: 10, k: 1 }, 1 - frameCompleteWithin(0.05, 10, 1), {
    strategy: 'nack',
    framesPerSecond: 30,
    packets: 10,
    forward: 'loss=5% delay=50ms',
    back: 'delay=50ms',
    budgetMs: 240,
    redundancy: 1,
  }),
];

/**
 * Reordering alone must not count as loss: bursts of 13 packets at 400 per second, with delays that differ by one
 * millisecond.
 */
const reordering = (['nack', 'hybrid'] as const).map((strategy) =>
  check(
    'recovery',
    'overhead_of_reordering',
    { strategy, jitter: '1ms' },
    {
      predicted: 0.01,
      agreement: AT_MOST,
      trials: 1_800,
      trialCost: COST_OF_PACKET * 13,
      simulate: (seed, trials) =>
        exactly(
          repairOverhead(
            {
              strategy,
              framesPerSecond: 31,
              packets: 13,
              forward: 'delay=20ms jitter=1ms',
              back: 'delay=20ms',
              budgetMs: 150,
            },
            seed,
            trials,
          ),
        ),
    },
  ),
);

export const RECOVERY_CHECKS: readonly Check[] = [...requests, ...lostRequests, ...repaired, ...frames, ...reordering];
