import { microseconds } from '../../protocol/base/units.ts';
import { CLEAN_LINK } from '../../sim/link/clean-link.ts';
import { formatLinkSpecification } from '../../sim/link/link-format.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import { DUPLICATE_SHARE_MAX, type PathFit } from './fit-path.ts';

/** Significant digits of a fitted value: more than any interval is narrow. */
const DIGITS = 4;
const digits = (value: number): number => Number(value.toPrecision(DIGITS));

/** The link that describes a path. @param delayUs least one-way delay, which a capture seldom tells, microseconds */
export function fittedLink(
  { loss, delay, reordering, capacity, waitMax, duplicates }: PathFit,
  delayUs: number,
): LinkSpecification {
  const link: { -readonly [K in keyof LinkSpecification]: LinkSpecification[K] } = { ...CLEAN_LINK };
  link.delay = microseconds(Math.round(delayUs));
  if (loss.elliott && loss.model === 'gilbert-elliott') {
    const { enterBad, leaveBad, lossInBad, lossInGood } = loss.elliott;
    link.lossModel = {
      kind: 'gilbert-elliott',
      enterBad: digits(enterBad.value),
      leaveBad: digits(leaveBad.value),
      lossInBad: digits(lossInBad.value),
      lossInGood: digits(lossInGood.value),
      step: 'packet',
    };
  } else {
    link.loss = digits(loss.loss.value);
    if (loss.model === 'gilbert' && loss.burst) link.burst = digits(loss.burst.value);
  }
  if (delay) {
    link.order = delay.order;
    if (delay.quantiles) link.quantiles = delay.quantiles;
    else if (delay.jitter && delay.family !== 'constant') {
      link.jitter = microseconds(Math.round(delay.jitter.value));
      // The delay of these two is their mean.
      const least = delay.family === 'uniform' ? delay.delay.value : leastOf(delay.distribution.delays);
      link.delay = microseconds(Math.round(delayUs + delay.delay.value - least));
      if (delay.family === 'normal' || delay.family === 'pareto') link.jitterDistribution = delay.family;
    }
  }
  if (reordering.isByPlaces && reordering.usualExtent > 0) {
    link.slip = { share: digits(reordering.share.value), packets: reordering.usualExtent };
  }
  if (duplicates.value > 0 && duplicates.value <= DUPLICATE_SHARE_MAX) link.duplicate = digits(duplicates.value);
  if (capacity?.verdict === 'line') {
    link.rate = Math.round(capacity.rate.value);
    // A queue that held this much has at least this room.
    link.queue = microseconds(Math.max(link.queue, Math.ceil(waitMax / 1_000) * 1_000));
  }
  return link;
}

const leastOf = (ascending: Float64Array): number => ascending[0] ?? 0;

/** The one-line form of a fitted link, without its seed. */
export const fittedLine = (link: LinkSpecification): string =>
  formatLinkSpecification(link).replace(/\s*seed=1$/, '') || 'loss=0%';
