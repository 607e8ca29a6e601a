import { CLEAN_LINK } from '../../sim/link/clean-link.ts';
import type { LossModel } from '../../sim/link/loss/loss-model.ts';
import { type LossOptions, LossProcess } from '../../sim/link/loss-process.ts';
import type { BlockCode } from './closed-forms/block-code.ts';
import type { GilbertElliottPath } from './closed-forms/gilbert-elliott.ts';
import type { TimedOutages } from './closed-forms/retransmission.ts';
import type { InOrderRelease } from './closed-forms/waiting.ts';
import { type Estimate, estimateRatio } from './estimate.ts';

/** Simulations with the link's own loss generators, the counterpart of each closed form. */

const DIRECTION = 'check';

const lossBy = (options: Partial<LossOptions>, seed: number): LossProcess =>
  new LossProcess({ ...CLEAN_LINK, ...options, seed }, DIRECTION);

/** How many of so many trials come true. */
function hits(trials: number, trial: () => boolean): [number, number] {
  let count = 0;
  for (let n = 0; n < trials; n++) if (trial()) count++;
  return [count, trials];
}

export function simulateRepetition(loss: number, attempts: number, seed: number, trials: number): Estimate {
  return simulateRepetitionWithLostRequests(loss, 0, attempts, seed, trials);
}

/** A trial is a packet: sent, and while it is lost asked for and sent again. */
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

/** A trial is a packet at a time of its own, and its one repetition a round trip later; microseconds. */
export function simulateRepetitionInOutages(
  { badShare, meanBad }: TimedOutages,
  roundTrip: number,
  seed: number,
  trials: number,
): Estimate {
  const model: LossModel = { kind: 'continuous-time', badShare, meanBad, lossInBad: 1, lossInGood: 0 };
  const loss = lossBy({ lossModel: model }, seed);
  const spacing = 2 * roundTrip;
  let at = 0;
  return estimateRatio(trials, (size) =>
    hits(size, () => {
      at += spacing;
      const [first, second] = [loss.next(at), loss.next(at + roundTrip)];
      return first && second;
    }),
  );
}

/** A trial is a block: the losses of each. */
const blocks = (packets: number, loss: LossProcess) => (): boolean[] =>
  Array.from({ length: packets }, () => loss.next());

const count = (lost: readonly boolean[]): number => lost.reduce((sum, each) => sum + (each ? 1 : 0), 0);

export function simulateBlockFailure({ packets, source }: BlockCode, loss: number, seed: number, trials: number) {
  const block = blocks(packets, lossBy({ loss }, seed));
  return estimateRatio(trials, (size) => hits(size, () => count(block()) > packets - source));
}

/** Missing source packets; the first `source` of a block are these. */
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
  let at = 0;
  return estimateRatio(trials, (size) =>
    hits(size, () => {
      at += spacing;
      return loss.next(at);
    }),
  );
};

/** A trial is a packet; of every `stride`-th the mean length of a run. */
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

/** A trial is a packet; the correlation with its neighbour around a known mean. */
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

/** A trial is a frame: whether it loses any packet. */
export const simulateFrameHit = (packets: number, loss: LossProcess, trials: number): Estimate =>
  estimateRatio(trials, (size) => hits(size, () => count(blocks(packets, loss)()) > 0));

/** A trial is a group of pictures: the share of its frames before the first that is hit. */
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
      // Behind the first frame that is hit none can be decoded.
      for (let index = 0; index < frames && count(frame()) === 0; index++) decodable++;
    }
    return [decodable, size * frames];
  });
}

/** A trial is a frame: in how many rounds more than the first it is complete. */
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

/** A trial is a packet, released in order: how long it waits for the last lost one before it, and whether. */
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
