import { type Interval, wilson } from '../report/interval.ts';
import { type CapacityFit, departures, fitCapacity } from './capacity-fit.ts';
import { clockDrift } from './clock-drift.ts';
import { fitLoss, type LossFit } from './loss-fit.ts';
import type { PathObservation } from './observation.ts';
import { measureDelay, type PathDelay } from './path-delay.ts';
import { findReordering, type Reordering } from './reordering.ts';

/** Path as a capture shows it. Times in microseconds. */
export interface PathFit {
  readonly observation: PathObservation;
  readonly seconds: number;
  readonly loss: LossFit;
  /** 1 for each lost datagram, in order. */
  readonly lost: Uint8Array;
  /** `undefined` when no time of sending is known. */
  readonly delay: PathDelay | undefined;
  /** Parts in a million; `undefined` when it cannot be told. */
  readonly drift: Interval | undefined;
  readonly isDriftRemoved: boolean;
  readonly reordering: Reordering;
  readonly capacity: CapacityFit | undefined;
  /** Longest wait for the line at the fitted capacity, microseconds. */
  readonly waitMax: number;
  readonly duplicates: Interval;
}

/** A larger share of duplicates is one of the capture, at several interfaces, and not of the path. */
export const DUPLICATE_SHARE_MAX = 0.2;

/** Fits a link to what was observed of a path. @param isOneClock true when both ends have one clock, which has no drift */
export function fitPath(raw: PathObservation, { isOneClock = false } = {}): PathFit {
  const lost = Uint8Array.from(raw.arrived, (at) => (Number.isNaN(at) ? 1 : 0));
  const drift = raw.reorderedPictures || isOneClock ? undefined : driftOf(raw);
  const isDriftRemoved = drift !== undefined && (drift.low > 0 || drift.high < 0);
  const observation = isDriftRemoved ? withoutDrift(raw, drift.value) : raw;
  const reordering = findReordering(observation);
  const capacity = fitCapacity(observation);
  const isLine = capacity?.verdict === 'line';
  const line = isLine ? departures(observation.sent, observation.bytes, capacity.rate.value) : undefined;
  const loss = fitLoss(lost);
  const received = loss.packets - loss.lost;
  const measured = raw.reorderedPictures
    ? undefined
    : measureDelay(observation, line?.left ?? observation.sent, reordering);
  const uncertain = drift ? (((drift.high - drift.low) / 2) * span(observation.sent)) / 1e6 : 0;
  const delay = measured && withDriftUncertainty(measured, uncertain);
  return {
    observation,
    seconds: span(observation.sent) / 1e6,
    loss,
    lost,
    delay,
    drift,
    isDriftRemoved,
    reordering,
    capacity,
    waitMax: line?.waitMax ?? 0,
    duplicates: wilson(Math.min(raw.duplicates, received), received),
  };
}

const span = (times: Float64Array): number => times.reduce((most, each) => Math.max(most, each), 0);

function driftOf({ sent, arrived, timed }: PathObservation): Interval | undefined {
  const known = sent.map((_, index) => index).filter((index) => timed[index] === 1 && !Number.isNaN(arrived[index]!));
  const times = known.map((index) => sent[index]!);
  return clockDrift(
    times,
    known.map((index) => arrived[index]! - sent[index]!),
  );
}

/** Times of arrival on the sender's clock. @param drift parts in a million */
function withoutDrift(observation: PathObservation, drift: number): PathObservation {
  return {
    ...observation,
    arrived: observation.arrived.map((at, index) => at - (observation.sent[index]! * drift) / 1e6),
  };
}

/** Widens the intervals by what is not known of the drift. @param uncertain microseconds over the whole capture */
function withDriftUncertainty(fit: PathDelay, uncertain: number): PathDelay {
  const wider = ({ value, low, high }: Interval, by: number): Interval => ({ value, low: low - by, high: high + by });
  const { jitter, delay, family } = fit;
  // A drift stretches a range by all of it, and adds the variance of a uniform distribution to others.
  const stretched =
    jitter && (family === 'uniform' ? uncertain : Math.hypot(jitter.value, uncertain / 3.46) - jitter.value);
  return { ...fit, delay: wider(delay, uncertain / 2), jitter: jitter && wider(jitter, stretched ?? 0) };
}
