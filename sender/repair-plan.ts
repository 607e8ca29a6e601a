import type { Importance } from '../protocol/access-unit.ts';
import { chancesOfMore, type LossModel } from './loss-forecast.ts';

/**
 * How many packets a frame is worth: another repair packet is sent as long as it saves more than one frame in so many.
 * A lost key frame takes all up to the next one with it, and nobody misses a discardable frame but for its own time.
 */
const WORTH: Readonly<Record<Importance, number>> = { key: 1_000, reference: 333, discardable: 50 };

/** Repair packets at most for one answer. */
const EXTRA_MAX = 24;
/** Where losses come in runs, their length is known much less well than how often they come: more is sent for that. */
const BURST_OF_RUNS = 2;
const WORTH_IN_RUNS = 3;

/**
 * How many repair packets go with the last answer that can be in time.
 * @param packets those that are asked for, 1 or more. All of them are needed.
 */
export function repairsOfLastAnswer(packets: number, path: LossModel, importance: Importance): number {
  const worth = WORTH[importance] * (path.burst >= BURST_OF_RUNS ? WORTH_IN_RUNS : 1);
  let chance = chancesOfMore(packets, path, 0)[0]!;
  for (let repairs = 1; repairs <= EXTRA_MAX; repairs++) {
    const next = chancesOfMore(packets + repairs, path, repairs)[repairs]!;
    if ((chance - next) * worth < 1) return repairs - 1;
    chance = next;
  }
  return EXTRA_MAX;
}

/** A window's frames may be due before its last repair packets are there: somewhat more is sent for that. */
const WORTH_OF_WINDOW = 400;
/** Of the packets of a window, so many at most are repair packets: the budget is smaller than this. */
const WINDOW_SHARE_MAX = 0.5;
/** The rate moves in steps of so many repair packets a window. */
const STEP = 0.25;

/**
 * How many repair packets a sliding window needs so that a little more would not be worth its bytes. In between whole
 * numbers a chance is taken to fall as it does on the way from one to the next, by a constant factor.
 *
 * @param window media packets of the window, and the frames that they are: each of them has such a window of its own,
 * and shares its repair packets with the others.
 */
export function repairsOfWindow(
  { packets, frames }: { readonly packets: number; readonly frames: number },
  path: LossModel,
): number {
  if (path.loss === 0) return 0;
  const most = Math.ceil(packets * WINDOW_SHARE_MAX);
  let chance = chancesOfMore(packets, path, 0)[0]!;
  for (let repairs = 1; repairs <= most; repairs++) {
    const next = chancesOfMore(packets + repairs, path, repairs)[repairs] ?? 0;
    const factor = (next / chance) ** STEP;
    for (let step = 0; step < 1; step += STEP) {
      const saved = chance * (1 - factor);
      if (saved * WORTH_OF_WINDOW * frames < STEP) return repairs - 1 + step;
      chance -= saved;
    }
    chance = next;
  }
  return most;
}
