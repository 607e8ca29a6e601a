import type { Interval } from '../report/interval.ts';

const BLOCKS = 24;
const BLOCK_DELAYS_MIN = 5;

/**
 * Drift of the receiver's clock against the sender's, parts in a million, with an interval of 95 %: the slope of the
 * shortest transit of each of 24 spans of time, by Theil and Sen: the median of the slopes between two spans, with an
 * interval from the distribution of Kendall's S. Queues lengthen a transit and never shorten it.
 * @returns `undefined` with too few datagrams
 */
export function clockDrift(sent: Float64Array, transit: Float64Array): Interval | undefined {
  if (sent.length < BLOCKS * BLOCK_DELAYS_MIN) return undefined;
  const [from, until] = [sent[0]!, sent.at(-1)!];
  const at = new Array<number>(BLOCKS).fill(Number.NaN);
  const least = new Array<number>(BLOCKS).fill(Number.POSITIVE_INFINITY);
  for (let index = 0; index < sent.length; index++) {
    const block = Math.min(BLOCKS - 1, Math.max(0, Math.floor(((sent[index]! - from) * BLOCKS) / (until - from))));
    if (transit[index]! >= least[block]!) continue;
    least[block] = transit[index]!;
    at[block] = sent[index]!;
  }
  const blocks = at.flatMap((x, index) => (Number.isNaN(x) ? [] : [{ x, y: least[index]! }]));
  if (blocks.length < 4) return undefined;
  const slopes: number[] = [];
  for (let one = 0; one < blocks.length; one++) {
    for (let other = one + 1; other < blocks.length; other++) {
      const distance = blocks[other]!.x - blocks[one]!.x;
      if (distance > 0) slopes.push(((blocks[other]!.y - blocks[one]!.y) / distance) * 1e6);
    }
  }
  slopes.sort((one, other) => one - other);
  const count = blocks.length;
  // Kendall's S has this variance when only chance orders the blocks.
  const reach = (1.96 * Math.sqrt((count * (count - 1) * (2 * count + 5)) / 18)) / 2;
  const slopeAt = (place: number) => slopes[Math.min(slopes.length - 1, Math.max(0, place))]!;
  const middle = (slopes.length - 1) / 2;
  // Times are whole microseconds.
  const rounding = 1e6 / (until - from);
  return {
    value: (slopeAt(Math.floor(middle)) + slopeAt(Math.ceil(middle))) / 2,
    low: slopeAt(Math.floor(middle - reach)) - rounding,
    high: slopeAt(Math.ceil(middle + reach)) + rounding,
  };
}
