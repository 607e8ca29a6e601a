import { microseconds } from '../../protocol/base/units.ts';
import { CLEAN_LINK } from '../../sim/link/clean-link.ts';
import type { LossModel } from '../../sim/link/loss/loss-model.ts';
import { type LossOptions, LossProcess } from '../../sim/link/loss-process.ts';
import type { BlockCode } from './closed-forms/block-code.ts';
import type { GilbertElliottPath } from './closed-forms/gilbert-elliott.ts';
import type { TimedOutages } from './closed-forms/retransmission.ts';
import type { InOrderRelease } from './closed-forms/waiting.ts';
import { type Estimate, estimateRatio } from './estimate.ts';

/** Simulations with the link's loss generators, as counterparts of the closed forms. */

const DIRECTION = 'check';

const lossBy = (options: Partial<LossOptions>, seed: number): LossProcess =>
  new LossProcess({ ...CLEAN_LINK, ...options, seed }, DIRECTION);

/** Number of successful trials. */
function hits(trials: number, trial: () => boolean): [number, number] {
  let count = 0;
  for (let n = 0; n < trials; n++) if (trial()) count++;
  return [count, trials];
}

export function simulateRepetition(loss: number, attempts: number, seed: number, trials: number): Estimate {
  return simulateRepetitionWithLostRequests(loss, 0, attempts, seed, trials);
}

/** A trial is a packet, retransmitted on request while it is lost. */
export function simulateRepetitionWithLostRequests(
  loss: number,
  requestLoss: number,
  attempts: number,
  seed: number,
  trials: number,
): Estimate {
  const media = lossBy({ loss }, seed);
  const requests = lossBy({ loss: requestLoss }, seed + 1);
  const missing = (): boolean => {
    let lost = media.next();
    for (let attempt = 0; lost && attempt < attempts; attempt++) lost = requests.next() || media.next();
    return lost;
  };
  return estimateRatio(trials, (size) => hits(size, missing));
}

/** A trial is a packet and one retransmission a round trip later, microseconds. */
export function simulateRepetitionInOutages(
  { badShare, meanBad }: TimedOutages,
  roundTrip: number,
  seed: number,
  trials: number,
): Estimate {
  const model: LossModel = {
    kind: 'continuous-time',
    badShare,
    meanBad: microseconds(meanBad),
    lossInBad: 1,
    lossInGood: 0,
  };
  const loss = lossBy({ lossModel: model }, seed);
  const spacing = 2 * roundTrip;
  let at = microseconds(0);
  return estimateRatio(trials, (size) =>
    hits(size, () => {
      at = microseconds(at + spacing);
      const [first, second] = [loss.next(at), loss.next(microseconds(at + roundTrip))];
      return first && second;
    }),
  );
}

/** A trial is a block; returns the losses of each. */
const blocks = (packets: number, loss: LossProcess) => (): boolean[] =>
  Array.from({ length: packets }, () => loss.next());

const count = (lost: readonly boolean[]): number => lost.reduce((sum, each) => sum + (each ? 1 : 0), 0);

export function simulateBlockFailure({ packets, source }: BlockCode, loss: number, seed: number, trials: number) {
  const block = blocks(packets, lossBy({ loss }, seed));
  return estimateRatio(trials, (size) => hits(size, () => count(block()) > packets - source));
}

/** Fraction of missing source packets; the first `source` packets of a block are source packets. */
function missingSources({ packets, source }: BlockCode, block: () => boolean[], trials: number): Estimate {
  return estimateRatio(trials, (size) => {
    let missing = 0;
    for (let n = 0; n < size; n++) {
      const lost = block();
      if (count(lost) > packets - source) missing += count(lost.slice(0, source));
    }
    return [missing, size * source];
  });
}

export const simulatePacketResidual = (code: BlockCode, loss: number, seed: number, trials: number): Estimate =>
  missingSources(code, blocks(code.packets, lossBy({ loss }, seed)), trials);

export function simulateParityOnGilbert(
  source: number,
  path: { readonly enterBad: number; readonly leaveBad: number },
  seed: number,
  trials: number,
): Estimate {
  const code = { packets: source + 1, source };
  return missingSources(
    code,
    blocks(code.packets, gilbertElliott({ ...path, lossInBad: 1, lossInGood: 0 }, seed)),
    trials,
  );
}

export const gilbertElliott = (path: GilbertElliottPath, seed: number): LossProcess =>
  lossBy({ lossModel: { kind: 'gilbert-elliott', ...path, step: 'packet' } }, seed);

export const simulateLoss = (
  options: Partial<LossOptions>,
  spacing: number,
  seed: number,
  trials: number,
): Estimate => {
  const loss = lossBy(options, seed);
  let at = microseconds(0);
  return estimateRatio(trials, (size) =>
    hits(size, () => {
      at = microseconds(at + spacing);
      return loss.next(at);
    }),
  );
};

/** Mean run length of every `stride`-th packet. A trial is a packet. */
export function simulateMeanRun(loss: LossProcess, trials: number, stride = 1): Estimate {
  let before = false;
  return estimateRatio(trials, (size) => {
    let [losses, runs] = [0, 0];
    for (let n = 0; n < size; n++) {
      let lost = false;
      for (let step = 0; step < stride; step++) lost = loss.next();
      if (lost) losses++;
      if (lost && !before) runs++;
      before = lost;
    }
    return [losses, runs];
  });
}

/** Lag-1 correlation around a known mean. A trial is a packet. */
export function simulateCorrelation(loss: LossProcess, mean: number, trials: number): Estimate {
  let before = loss.next() ? 1 : 0;
  return estimateRatio(trials, (size) => {
    let sum = 0;
    for (let n = 0; n < size; n++) {
      const lost = loss.next() ? 1 : 0;
      sum += (lost - mean) * (before - mean);
      before = lost;
    }
    return [sum, size * mean * (1 - mean)];
  });
}

/** Fraction of frames with a lost packet. A trial is a frame. */
export const simulateFrameHit = (packets: number, loss: LossProcess, trials: number): Estimate =>
  estimateRatio(trials, (size) => hits(size, () => count(blocks(packets, loss)()) > 0));

/** Fraction of frames before the first damaged one. A trial is a group of pictures. */
export function simulateDecodable(
  loss: number,
  packets: number,
  frames: number,
  seed: number,
  trials: number,
): Estimate {
  const process = lossBy({ loss }, seed);
  const frame = blocks(packets, process);
  return estimateRatio(trials, (size) => {
    let decodable = 0;
    for (let n = 0; n < size; n++) {
      // No frame after the first damaged one is decodable.
      for (let index = 0; index < frames && count(frame()) === 0; index++) decodable++;
    }
    return [decodable, size * frames];
  });
}

/** Mean additional rounds until a frame is complete. A trial is a frame. */
export function simulateExtraRounds(loss: number, packets: number, seed: number, trials: number): Estimate {
  const process = lossBy({ loss }, seed);
  return estimateRatio(trials, (size) => {
    let rounds = 0;
    for (let n = 0; n < size; n++) {
      let missing = count(blocks(packets, process)());
      for (; missing > 0; rounds++) missing = count(blocks(missing, process)());
    }
    return [rounds, size];
  });
}

/** Wait of a packet for the last lost one before it, in order, or whether it waits. A trial is a packet. */
export function simulateWait(
  { loss, repairTime, spacing }: InOrderRelease,
  what: 'mean' | 'share',
  seed: number,
  trials: number,
): Estimate {
  const process = lossBy({ loss }, seed);
  let sinceLoss = Number.POSITIVE_INFINITY;
  return estimateRatio(trials, (size) => {
    let sum = 0;
    for (let n = 0; n < size; n++) {
      sinceLoss = process.next() ? 0 : sinceLoss + 1;
      const wait = repairTime - sinceLoss * spacing;
      if (wait > 0) sum += what === 'mean' ? wait : 1;
    }
    return [sum, size];
  });
}
