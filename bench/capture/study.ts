import { RESOLUTION_US } from '../../lab/capture/delay-fit.ts';
import { fitPath, type PathFit } from '../../lab/capture/fit-path.ts';
import { fittedLine, fittedLink } from '../../lab/capture/fitted-link.ts';
import { observeBoth, observeReceiver } from '../../lab/capture/observation.ts';
import { CaptureReader, type RtpStream } from '../../lab/capture/rtp-streams.ts';
import { lossRuns, sampleDifference, simulatePath } from '../../lab/capture/simulated-path.ts';
import type { Interval } from '../../lab/report/interval.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import { syntheticCapture } from './synthetic-capture.ts';
import { drawTruth, type Truth } from './synthetic-truth.ts';

/** A parameter whose interval was compared with the truth. */
export interface Covered {
  readonly parameter: string;
  readonly truth: number;
  readonly interval: Interval;
  readonly isInside: boolean;
}

/** How the fit of one synthetic capture compares with the path that made it. */
export interface StudyOutcome {
  readonly truth: Truth;
  readonly line: string;
  readonly covered: readonly Covered[];
  /** Parameters of the path that the fit left out, such as a second loss rate that it could not tell. */
  readonly untold: readonly string[];
  /** Differences of the distributions between both links, each with a long run of its own (Kolmogorov–Smirnov). */
  readonly delayDifference: number;
  readonly runDifference: number | undefined;
  /** Runs of losses in the capture. */
  readonly runs: number;
}

/** Datagrams of the long runs: chance alone leaves a difference of 0.004. */
const LONG_RUN = 200_000;
/** Mean distance of datagrams of both media, at which the order was seen. */
const INTERVALS_US = { pictures: 3_000, sound: 20_000 } as const;

/** Captures a random path, fits it from the files alone, and compares. */
export function studyOne(seed: number, packets: number, longRun = LONG_RUN): StudyOutcome {
  const truth = drawTruth(seed, packets);
  const files = syntheticCapture(truth);
  const receiver = streamOf(files.receiver);
  const observed = files.sender ? observeBoth(streamOf(files.sender), receiver) : observeReceiver(receiver);
  if (typeof observed === 'string') throw new Error(`seed ${seed}: ${observed}`);
  const fit = fitPath(observed);
  // No capture of this kind tells the least delay; the truth's is used so that lines can be compared.
  const link = fittedLink(fit, leastDelay(truth.link));
  const [long, fitted] = [carry(truth.link, 1, truth, longRun), carry(link, 2, truth, longRun)];
  return {
    truth,
    line: fittedLine(link),
    ...coverage(truth, fit),
    delayDifference: sampleDifference(centered(long.delays), centered(fitted.delays), RESOLUTION_US),
    runDifference: long.runs.length < 100 ? undefined : sampleDifference(long.runs, fitted.runs),
    runs: fit.loss.runs,
  };
}

function streamOf(file: Uint8Array): RtpStream {
  const reader = new CaptureReader();
  const malformed = reader.push(file);
  if (malformed !== undefined) throw new Error(malformed);
  return reader.contents.streams[0]!;
}

/** `delay` is the mean of these two distributions. */
const PARETO_EDGE = 0.5 / Math.sqrt(0.75);
const NORMAL_EDGE = 3.67;

function leastDelay({ delay, jitter, jitterDistribution }: LinkSpecification): number {
  if (jitterDistribution === 'normal') return delay - NORMAL_EDGE * jitter;
  return jitterDistribution === 'pareto' ? delay - PARETO_EDGE * jitter : delay;
}

function carry(link: LinkSpecification, seed: number, { media }: Truth, count: number) {
  const sent = Float64Array.from({ length: count }, (_, index) => index * INTERVALS_US[media]);
  const bytes = new Float64Array(count).fill(1_228);
  const { arrived } = simulatePath({ ...link, seed: 1_000_003 * link.seed + seed }, { sent, bytes });
  const lost = Uint8Array.from(arrived, (at) => (Number.isNaN(at) ? 1 : 0));
  return {
    delays: arrived.map((at, index) => at - sent[index]!).filter((_, index) => !lost[index]),
    runs: lossRuns(lost),
  };
}

/** Delays relative to their median: the least delay is not told by a capture. */
function centered(delays: Float64Array): Float64Array {
  const sorted = delays.slice().sort();
  const middle = sorted[sorted.length >> 1]!;
  return delays.map((delay) => delay - middle);
}

function coverage({ link, driftPpm }: Truth, fit: PathFit): Pick<StudyOutcome, 'covered' | 'untold'> {
  const covered: Covered[] = [];
  const untold: string[] = [];
  const check = (parameter: string, truth: number, interval: Interval | undefined): void => {
    if (!interval) untold.push(parameter);
    else covered.push({ parameter, truth, interval, isInside: interval.low <= truth && truth <= interval.high });
  };
  const { lossModel, loss } = link;
  if (lossModel?.kind === 'gilbert-elliott') {
    const { enterBad, leaveBad, lossInBad, lossInGood } = lossModel;
    check('ge p', enterBad, fit.loss.elliott?.enterBad);
    check('ge r', leaveBad, fit.loss.elliott?.leaveBad);
    check('ge bad', lossInBad, fit.loss.elliott?.lossInBad);
    check('ge good', lossInGood, fit.loss.elliott?.lossInGood);
  } else {
    check('loss', loss, fit.loss.loss);
    if (loss > 0) check('burst', Math.max(link.burst, 1 / (1 - loss)), fit.loss.burst);
  }
  const family = link.jitterDistribution ?? 'uniform';
  const jitter = link.jitter + (link.fifoJitter ?? 0);
  if (jitter > 0) check(`${family} jitter`, jitter, fit.delay?.family === family ? fit.delay.jitter : undefined);
  check('drift', driftPpm, fit.drift);
  if (link.slip) check('slip', link.slip.share, fit.reordering.isByPlaces ? fit.reordering.share : undefined);
  if (link.rate > 0) check('rate', link.rate, fit.capacity?.verdict === 'line' ? fit.capacity.rate : undefined);
  return { covered, untold };
}
