import { instant, type Microseconds } from '../../protocol/base/units.ts';
import { CLEAN_LINK } from '../../sim/link/clean-link.ts';
import { Propagation, type PropagationOptions } from '../../sim/link/stages/propagation.ts';
import { type Estimate, estimateRatio } from './estimate.ts';

/** Simulations with the link's delay and jitter stage. */

/** Sends evenly spaced packets; returns a function that yields the arrival times. */
function arrivals(options: Partial<PropagationOptions>, spacing: Microseconds, seed: number): () => number {
  const propagation = new Propagation({ ...CLEAN_LINK, ...options }, seed, 'check');
  let index = 0;
  return () => {
    const at = propagation.arrives(instant(index * spacing), index);
    index++;
    return at;
  };
}

/** Mean wait of a packet for earlier ones, microseconds. A trial is a packet. */
export function simulateReorderWait(
  jitter: Microseconds,
  spacing: Microseconds,
  seed: number,
  trials: number,
): Estimate {
  const next = arrivals({ jitter }, spacing, seed);
  let released = 0;
  return estimateRatio(trials, (size) => {
    let sum = 0;
    for (let n = 0; n < size; n++) {
      const at = next();
      released = Math.max(released, at);
      sum += released - at;
    }
    return [sum, size];
  });
}

/** Mean delay, microseconds. A trial is a packet. */
export function simulateMeanDelay(
  options: Partial<PropagationOptions>,
  spacing: Microseconds,
  seed: number,
  trials: number,
): Estimate {
  const next = arrivals(options, spacing, seed);
  let sentAt = -spacing;
  return estimateRatio(trials, (size) => {
    let sum = 0;
    for (let n = 0; n < size; n++) {
      sentAt += spacing;
      sum += next() - sentAt;
    }
    return [sum, size];
  });
}

/**
 * Mean of RFC 3550's interarrival jitter, microseconds. A trial is a packet. The spacing must be wide enough to prevent
 * reordering.
 */
export function simulateInterarrivalJitter(
  options: Partial<PropagationOptions>,
  spacing: Microseconds,
  seed: number,
  trials: number,
): Estimate {
  const next = arrivals(options, spacing, seed);
  let before = next();
  let jitter = 0;
  const update = (): number => {
    const at = next();
    jitter += (Math.abs(at - before - spacing) - jitter) / 16;
    before = at;
    return jitter;
  };
  // Let the filter converge first.
  for (let n = 0; n < 1_000; n++) update();
  return estimateRatio(trials, (size) => {
    let sum = 0;
    for (let n = 0; n < size; n++) sum += update();
    return [sum, size];
  });
}
