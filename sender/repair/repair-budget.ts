import { type Microseconds, microseconds } from '../../protocol/base/units.ts';
import { type PathLoss, shortfallProbabilities } from './shortfall-probability.ts';

/** Repair packets at most for one answer. */
const EXTRA_MAX = 24;
/** Where losses come in runs, their length is known much less well than how often they come: more is sent for that. */
const BURST_OF_RUNS = 2;
const WORTH_IN_RUNS = 3;

/**
 * How many repair packets go with the last answer that can be in time.
 * @param packets those that are asked for, 1 or more. All of them are needed.
 * @param worth of the frame, packets: one more is sent as long as it saves more than one frame in so many.
 */
export function repairsOfLastAnswer(packets: number, path: PathLoss, worth: number): number {
  const inRuns = path.burst >= BURST_OF_RUNS ? WORTH_IN_RUNS : 1;
  return cheapest(shortfallProbabilities(packets, path, EXTRA_MAX), { worth: worth * inRuns, step: 1 });
}

/** One frame at 30 a second, and its worth when nothing refers to it. */
const FRAME_INTERVAL: Microseconds = microseconds(33_333);
const WORTH_OF_FRAME = 50;

/**
 * How many repair packets go with an answer that is too late to be shown: where it is lost as well, the picture stands
 * still for another round.
 * @param packets those that are asked for, 1 or more. All of them are needed.
 */
export function repairsOfLateAnswer(packets: number, path: PathLoss & { readonly answerTime: Microseconds }): number {
  const worth = WORTH_OF_FRAME * Math.max(1, path.answerTime / FRAME_INTERVAL);
  return cheapest(shortfallProbabilities(packets, path, EXTRA_MAX), { worth, step: 1 });
}

/**
 * How many repair packets go with packets of a frame that nobody has the time to ask for.
 * @param packets 1 or more. All of them are needed.
 */
export function repairsOfGroup(packets: number, path: PathLoss, worth: number): number {
  return cheapest(shortfallProbabilities(packets, path, EXTRA_MAX), { worth, step: 1 });
}

/** How many repair packets go behind a frame so that one of them shows, when its last packets are lost, that it ended. */
export function repairsOfEnd({ loss, burst }: PathLoss, worth: number): number {
  const goesOn = burst * (1 - loss) > 1 ? 1 - 1 / burst : loss;
  const chances: number[] = [];
  for (let repairs = 0, chance = loss; repairs <= EXTRA_MAX; repairs++, chance *= goesOn) chances.push(chance);
  return cheapest(chances, { worth, step: 1 });
}

/** A window's frames may be due before its last repair packets are there: somewhat more is sent for that. */
const WORTH_IN_WINDOW = 400 / 333;
/** Of the packets of a window, so many at most are repair packets: the budget is smaller than this. */
const WINDOW_SHARE_MAX = 0.5;
/** The rate moves in steps of a quarter of a repair packet a window. */
const STEPS = 4;

/**
 * How many repair packets a sliding window needs so that what they cost and what is lost all the same is least. In
 * between whole numbers a chance is taken to fall as it does on the way from one to the next, by a constant factor.
 *
 * @param window media packets of the window, and the frames that they are: each of them has such a window of its own,
 * and shares its repair packets with the others; `worth` of one of them, packets.
 */
export function repairsOfWindow(
  { packets, frames, worth }: { readonly packets: number; readonly frames: number; readonly worth: number },
  path: PathLoss,
): number {
  if (path.loss === 0) return 0;
  const whole = shortfallProbabilities(packets, path, Math.ceil(packets * WINDOW_SHARE_MAX));
  const worthOfAll = WORTH_IN_WINDOW * worth * frames;
  const nearest = cheapest(whole, { worth: worthOfAll, step: 1 });
  const from = Math.max(0, nearest - 1);
  return from + cheapest(quartered(whole.slice(from, nearest + 2)), { worth: worthOfAll, step: 1 / STEPS });
}

function quartered(chances: readonly number[]): number[] {
  const result: number[] = [];
  for (let index = 0; index + 1 < chances.length; index++) {
    const [chance, next] = [chances[index]!, chances[index + 1]!];
    // The fourth root as two square ones, which are the same on every engine.
    const factor = chance === 0 ? 0 : Math.sqrt(Math.sqrt(next / chance));
    for (let step = 0, at = chance; step < STEPS; step++, at *= factor) result.push(at);
  }
  result.push(chances.at(-1)!);
  return result;
}

/**
 * Of the steps, the one at which cost and loss together are least. Not the first that does not pay: where the first
 * few repair packets are sure not to be enough, none of them saves anything by itself.
 */
function cheapest(chances: readonly number[], { worth, step }: { readonly worth: number; readonly step: number }) {
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (const [index, chance] of chances.entries()) {
    const cost = index * step + worth * chance;
    if (cost < least) [best, least] = [index * step, cost];
  }
  return best;
}
