import { microseconds, milliseconds } from '../../protocol/base/units.ts';
import type { DelayQuantiles } from '../../sim/link/link-values.ts';
import { meanLoss } from '../../sim/link/loss/loss-model.ts';
import { type Check, check, type Simulate } from './check.ts';
import {
  correlationOf,
  frameHitOnGilbert,
  type GilbertElliottPath,
  lossOf,
  meanRunOf,
  thinned,
} from './closed-forms/gilbert-elliott.ts';
import { type ParameterReader, parametersOf, pathOf, predict } from './closed-forms/predict.ts';
import { VECTORS, type Vector } from './closed-forms/vectors.ts';
import { interarrivalJitterOfNormal, interarrivalJitterOfUniform, meanReorderWait } from './closed-forms/waiting.ts';
import { simulateInterarrivalJitter, simulateMeanDelay, simulateReorderWait } from './delay-simulations.ts';
import type { Estimate } from './estimate.ts';
import { FAIRNESS_CHECKS } from './fairness-checks.ts';
import * as simulations from './loss-simulations.ts';
import { METRIC_CHECKS } from './metric-checks.ts';
import { NETEM_CHECKS } from './netem-checks.ts';
import { QUEUE_CHECKS } from './queue-checks.ts';
import { RECOVERY_CHECKS } from './recovery-checks.ts';
import { SCHEME_CHECKS } from './scheme-checks.ts';
import { SHARING_CHECKS } from './sharing-checks.ts';
import { TCP_CHECKS } from './tcp-checks.ts';
import { WAITING_CHECKS } from './waiting-checks.ts';

const SIMULATIONS: Readonly<Record<string, (of: ParameterReader) => Simulate>> = {
  arq: (of) => (seed, trials) => simulations.simulateRepetition(of('p'), of('n'), seed, trials),
  arq_lossy_fb: (of) => (seed, trials) =>
    simulations.simulateRepetitionWithLostRequests(of('p'), of('q'), of('n'), seed, trials),
  mds_block: (of) => (seed, trials) => simulations.simulateBlockFailure(codeOf(of), of('p'), seed, trials),
  mds_pkt: (of) => (seed, trials) => simulations.simulatePacketResidual(codeOf(of), of('p'), seed, trials),
  xor_gilbert_data: (of) => (seed, trials) =>
    simulations.simulateParityOnGilbert(of('k'), { enterBad: of('p'), leaveBad: of('r') }, seed, trials),
  gop_Q: (of) => (seed, trials) => simulations.simulateDecodable(of('p'), of('N'), of('G'), seed, trials),
  frame_extra_rtts: (of) => (seed, trials) => simulations.simulateExtraRounds(of('p'), of('N'), seed, trials),
  hol_mean_ms: (of) => (seed, trials) => simulations.simulateWait(releaseOf(of), 'mean', seed, trials),
  hol_frac: (of) => (seed, trials) => simulations.simulateWait(releaseOf(of), 'share', seed, trials),
  ge_loss: (of) => (seed, trials) => simulateShare(pathOf(of), seed, trials),
  ge_mean_burst: (of) => (seed, trials) =>
    simulations.simulateMeanRun(simulations.gilbertElliott(pathOf(of), seed), trials),
  ge_lag1: (of) => (seed, trials) =>
    simulations.simulateCorrelation(simulations.gilbertElliott(pathOf(of), seed), lossOf(pathOf(of)), trials),
  ctg_arq1: (of) => (seed, trials) => {
    const outages = { badShare: of('piB'), meanBad: of('mean_bad_ms') * 1_000 };
    return simulations.simulateRepetitionInOutages(outages, of('R_ms') * 1_000, seed, trials);
  },
};

const codeOf = (of: ParameterReader) => ({ packets: of('n'), source: of('k') });
const releaseOf = (of: ParameterReader) => ({ loss: of('p'), repairTime: of('R'), spacing: of('D') });

function simulateShare(path: GilbertElliottPath, seed: number, trials: number): Estimate {
  return simulations.simulateLoss({ lossModel: { kind: 'gilbert-elliott', ...path, step: 'packet' } }, 0, seed, trials);
}

const TRIALS_MIN = 20_000;
/** Trials of families with correlated samples, or without rare events. */
const TRIALS: Readonly<Record<string, number>> = { ge_loss: 500_000, ge_mean_burst: 500_000, ge_lag1: 500_000 };
const WAITING_TRIALS = 1_000_000;

function trialsOf(id: string, predicted: number): number {
  if (id.startsWith('hol')) return WAITING_TRIALS;
  return TRIALS[id] ?? Math.max(TRIALS_MIN, Math.ceil(100 / predicted));
}

/** Draws per trial for blocks, frames and groups of frames. */
const trialCostOf = ({ n, N, G }: Vector['parameters']): number => Math.max(n ?? 1, (N ?? 1) * Math.min(G ?? 1, 8));

function checkOf(vector: Vector): Check {
  const predicted = predict(vector);
  return check('closed forms', vector.id, vector.parameters, {
    predicted,
    trials: trialsOf(vector.id, predicted),
    trialCost: trialCostOf(vector.parameters),
    simulate: SIMULATIONS[vector.id]?.(parametersOf(vector)),
  });
}

const linkCheck = (
  name: string,
  parameters: Readonly<Record<string, number>>,
  predicted: number,
  trials: number,
  simulate: Simulate,
): Check => check('link', name, parameters, { predicted, trials, simulate });

/** Settings found in practice, with their actual loss. */
const PRACTITIONERS: readonly GilbertElliottPath[] = [
  { enterBad: 0.01, leaveBad: 0.5, lossInBad: 0.9, lossInGood: 0.01 },
  { enterBad: 0.02, leaveBad: 0.3, lossInBad: 1, lossInGood: 0 },
  { enterBad: 0.01, leaveBad: 0.1, lossInBad: 0.5, lossInGood: 0 },
];

function pathChecks(path: GilbertElliottPath): Check[] {
  const { enterBad: p, leaveBad: r, lossInBad: h, lossInGood: k } = path;
  const parameters = { p, r, h, k };
  const process = (seed: number) => simulations.gilbertElliott(path, seed);
  return [
    linkCheck('ge_loss', parameters, lossOf(path), 500_000, (seed, trials) => simulateShare(path, seed, trials)),
    linkCheck('ge_mean_burst', parameters, meanRunOf(path), 500_000, (seed, trials) =>
      simulations.simulateMeanRun(process(seed), trials),
    ),
    linkCheck('ge_lag1', parameters, correlationOf(path), 500_000, (seed, trials) =>
      simulations.simulateCorrelation(process(seed), lossOf(path), trials),
    ),
  ];
}

const GILBERT: GilbertElliottPath = { enterBad: 0.02, leaveBad: 0.25, lossInBad: 1, lossInGood: 0 };

/** Interleaving, frames of 14 packets, and the time-driven, four-state and on-off models. */
function generatorChecks(): Check[] {
  const { enterBad: p, leaveBad: r } = GILBERT;
  const timed = {
    kind: 'continuous-time',
    badShare: 0.05,
    meanBad: milliseconds(30),
    lossInBad: 0.8,
    lossInGood: 0.01,
  } as const;
  const states = { kind: 'four-state', p13: 0.02, p31: 0.3, p32: 0.05, p23: 0.4, p14: 0.001 } as const;
  const turns = { kind: 'on-off', durations: 'exponential', on: milliseconds(95), off: milliseconds(5) } as const;
  const { p13, p31, p32, p23, p14 } = states;
  return [
    ...[2, 4, 8].map((stride) =>
      linkCheck('thinned_mean_burst', { p, r, stride }, meanRunOf(thinned(GILBERT, stride)), 300_000, (seed, trials) =>
        simulations.simulateMeanRun(simulations.gilbertElliott(GILBERT, seed), trials, stride),
      ),
    ),
    linkCheck('frame_hit_gilbert', { p, r, N: 14 }, frameHitOnGilbert(p, r, 14), 100_000, (seed, trials) =>
      simulations.simulateFrameHit(14, simulations.gilbertElliott(GILBERT, seed), trials),
    ),
    linkCheck('ctge_loss', { piB: 0.05, mean_bad_ms: 30, h: 0.8, k: 0.01 }, meanLoss(timed), 500_000, (seed, trials) =>
      simulations.simulateLoss({ lossModel: timed }, 2_400, seed, trials),
    ),
    linkCheck('state4_loss', { p13, p31, p32, p23, p14 }, meanLoss(states), 500_000, (seed, trials) =>
      simulations.simulateLoss({ lossModel: states }, 0, seed, trials),
    ),
    linkCheck('onoff_loss', { on_ms: 95, off_ms: 5 }, meanLoss(turns), 500_000, (seed, trials) =>
      simulations.simulateLoss({ lossModel: turns }, 2_400, seed, trials),
    ),
  ];
}

/** Half of the datagrams up to 2 ms later, the others up to 9 ms. */
const QUANTILES: DelayQuantiles = [
  { delay: milliseconds(0), share: 0 },
  { delay: milliseconds(2), share: 0.5 },
  { delay: milliseconds(9), share: 1 },
];

/** Delays are microseconds in the simulation and milliseconds in the check. */
function delayChecks(): Check[] {
  const inMilliseconds = ({ estimate, standardError }: Estimate): Estimate => ({
    estimate: estimate / 1_000,
    standardError: standardError / 1_000,
  });
  return [
    ...[10, 20, 40].map((J) =>
      linkCheck('reorder_wait_ms', { J, D: 2.4 }, meanReorderWait(J, 2.4), 500_000, (seed, trials) =>
        inMilliseconds(simulateReorderWait(milliseconds(J), microseconds(2_400), seed, trials)),
      ),
    ),
    // A datagram that keeps its order waits as one in a reorder buffer does.
    linkCheck('kept_order_delay_ms', { J: 10, D: 2.4 }, 10 / 2 + meanReorderWait(10, 2.4), 500_000, (seed, trials) =>
      inMilliseconds(simulateMeanDelay({ jitter: milliseconds(10), order: 'kept' }, microseconds(2_400), seed, trials)),
    ),
    linkCheck('quantiles_delay_ms', { half: 2, all: 9 }, (1 + 5.5) / 2, 500_000, (seed, trials) =>
      inMilliseconds(simulateMeanDelay({ quantiles: QUANTILES }, milliseconds(20), seed, trials)),
    ),
    linkCheck('rfc3550_uniform_ms', { J: 9 }, interarrivalJitterOfUniform(9), 500_000, (seed, trials) =>
      inMilliseconds(simulateInterarrivalJitter({ jitter: milliseconds(9) }, milliseconds(10), seed, trials)),
    ),
    linkCheck('rfc3550_normal_ms', { sigma: 3 }, interarrivalJitterOfNormal(3), 500_000, (seed, trials) =>
      inMilliseconds(
        simulateInterarrivalJitter(
          { delay: milliseconds(50), jitter: milliseconds(3), jitterDistribution: 'normal' },
          milliseconds(100),
          seed,
          trials,
        ),
      ),
    ),
  ];
}

/** All checks, with the test vectors first. */
export const CHECKS: readonly Check[] = [
  ...VECTORS.map(checkOf),
  ...PRACTITIONERS.flatMap(pathChecks),
  ...generatorChecks(),
  ...delayChecks(),
  ...NETEM_CHECKS,
  ...RECOVERY_CHECKS,
  ...SCHEME_CHECKS,
  ...WAITING_CHECKS,
  ...TCP_CHECKS,
  ...METRIC_CHECKS,
  ...FAIRNESS_CHECKS,
  ...QUEUE_CHECKS,
  ...SHARING_CHECKS,
];
