import { type Microseconds, microseconds } from '../../protocol/base/units.ts';
import { type PathLoss, shortfallProbabilities } from './shortfall-probability.ts';

/** Maximum number of repair packets per answer. */
const EXTRA_MAX = 24;
/**
 * For bursty loss, the mean burst is multiplied by this, because it is known much less precisely than the loss rate.
 */
const BURST_OF_RUNS = 2;
const WORTH_IN_RUNS = 3;

/**
 * Number of repair packets with the last answer that can arrive in time.
 * @param packets requested packets, 1 or more; all of them are needed.
 * @param worth of the frame in packets: one more is sent as long as it saves more than one frame in this many.
 */
export function repairsOfLastAnswer(packets: number, path: PathLoss, worth: number): number {
  const inRuns = path.burst >= BURST_OF_RUNS ? WORTH_IN_RUNS : 1;
  return cheapest(shortfallProbabilities(packets, path, EXTRA_MAX), { worth: worth * inRuns, step: 1 });
}

/** One frame at 30 frames per second, and its worth when no other depends on it. */
const FRAME_INTERVAL: Microseconds = microseconds(33_333);
const WORTH_OF_FRAME = 50;

/**
 * Number of repair packets with an answer too late to be shown. Losing it freezes the picture for another round trip.
 * @param packets requested packets, 1 or more; all of them are needed.
 */
export function repairsOfLateAnswer(packets: number, path: PathLoss & { readonly answerTime: Microseconds }): number {
  const worth = WORTH_OF_FRAME * Math.max(1, path.answerTime / FRAME_INTERVAL);
  return cheapest(shortfallProbabilities(packets, path, EXTRA_MAX), { worth, step: 1 });
}

/**
 * Number of repair packets for packets of a frame that cannot be requested in time.
 * @param packets 1 or more; all of them are needed.
 */
export function repairsOfGroup(packets: number, path: PathLoss, worth: number): number {
  return cheapest(shortfallProbabilities(packets, path, EXTRA_MAX), { worth, step: 1 });
}

/** Cost of a notice with its IP and UDP headers, packets. */
const NOTICE_PACKETS = 1 / 32;
/** In longer bursts the next frame reveals as much as further notices. */
const NOTICES_MAX = 6;

/** Number of notices after a frame such that one of them reveals the loss of its end. */
export function noticesOfEnd({ loss, burst }: PathLoss, worth: number): number {
  const goesOn = burst * (1 - loss) > 1 ? 1 - 1 / burst : loss;
  const chances: number[] = [];
  for (let notices = 0, chance = loss; notices <= NOTICES_MAX; notices++, chance *= goesOn) chances.push(chance);
  return cheapest(chances, { worth, step: NOTICE_PACKETS }) / NOTICE_PACKETS;
}

/** Factor on the worth in a window, whose frames may reach their deadline before its last repair packet. */
const WORTH_IN_WINDOW = 400 / 333;
/** Maximum share of repair packets in a window; the budget is smaller. */
const WINDOW_SHARE_MAX = 0.5;
/** Steps per repair packet: the rate changes by a quarter of a repair packet per window. */
const STEPS = 4;

/**
 * Number of repair packets of a sliding window that minimizes the sum of their cost and of the remaining loss. Between
 * whole numbers, the probability of a loss is interpolated geometrically.
 * @param window media packets of the window and their number of frames, each of which has such a window and shares its
 * repair packets with the others; `worth` of one of them, packets.
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
    // The fourth root as two square roots, which give the same result on every engine.
    const factor = chance === 0 ? 0 : Math.sqrt(Math.sqrt(next / chance));
    for (let step = 0, at = chance; step < STEPS; step++, at *= factor) result.push(at);
  }
  result.push(chances.at(-1)!);
  return result;
}

/**
 * Returns the step with the lowest total cost. Not the first step that does not pay: when a few repair packets are
 * almost certainly too few, none of them pays by itself.
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
