import type { Interval } from '../report/interval.ts';
import type { PathObservation } from './observation.ts';

/** Rate at which packets that were sent together arrived. */
export interface CapacityFit {
  /** Bits per second, IP packets; the median over trains with an interval of 95 %. */
  readonly rate: Interval;
  readonly trains: number;
  /** Distance between the quartiles, relative to the median. */
  readonly spread: number;
  /**
   * `line`: the path's own rate. `sender or line`: one capture cannot tell the sender's pacing from a bottleneck. `unclear`:
   * the trains differ too much.
   */
  readonly verdict: 'line' | 'sender or line' | 'unclear';
}

const TRAIN_PACKETS_MIN = 4;
const TRAINS_MIN = 20;
const SPREAD_MAX = 0.1;
/** The rate of a train does not depend on its length when a line makes it. */
const LENGTH_RATIO_MAX = 1.15;

interface Train {
  readonly rate: number;
  readonly packets: number;
  readonly isSqueezed: boolean;
}

/** Measures the capacity by packet trains: runs of packets of one instant (one picture), none of them lost or overtaken. */
export function fitCapacity({ sides, sent, arrived, rank, bytes }: PathObservation): CapacityFit | undefined {
  const trains: Train[] = [];
  for (let from = 0; from < sent.length; ) {
    let until = from + 1;
    while (until < sent.length && continues(sides, sent, bytes, until)) until++;
    const train = until - from >= TRAIN_PACKETS_MIN ? trainOf(from, until) : undefined;
    if (train) trains.push(train);
    from = until;
  }
  if (trains.length < TRAINS_MIN) return undefined;
  const rates = Float64Array.from(trains, ({ rate }) => rate).sort();
  const at = (share: number) => rates[Math.min(rates.length - 1, Math.max(0, Math.floor(share * rates.length)))]!;
  // Order statistics around the median: the number of trains below it is binomial.
  const reach = 0.98 / Math.sqrt(rates.length);
  // Times are whole microseconds: half of one in each packet's time.
  const mean = bytes.reduce((sum, each) => sum + each, 0) / bytes.length;
  const rounding = (0.5e-6 * at(0.5)) / (mean * 8);
  const rate = { value: at(0.5), low: at(0.5 - reach) * (1 - rounding), high: at(0.5 + reach) * (1 + rounding) };
  const spread = (at(0.75) - at(0.25)) / at(0.5);
  const [short, long] = halves(trains);
  const isSteady = spread < SPREAD_MAX && long / short < LENGTH_RATIO_MAX && short / long < LENGTH_RATIO_MAX;
  const squeezed = trains.filter(({ isSqueezed }) => isSqueezed).length / trains.length;
  const verdict = !isSteady ? 'unclear' : sides === 'one' ? 'sender or line' : squeezed > 0.9 ? 'line' : 'unclear';
  return { rate, trains: trains.length, spread, verdict };

  function trainOf(from: number, until: number): Train | undefined {
    let bits = 0;
    for (let index = from; index < until; index++) {
      if (Number.isNaN(arrived[index]!) || (index > from && rank[index]! < rank[index - 1]!)) return undefined;
      if (index > from) bits += bytes[index]! * 8;
    }
    const span = arrived[until - 1]! - arrived[from]!;
    if (span <= 0) return undefined;
    const sending = sent[until - 1]! - sent[from]!;
    return { rate: (bits * 1e6) / span, packets: until - from, isSqueezed: span > 1.2 * sending };
  }
}

/** Packets of two captures that were sent faster than this are a train. */
const TRAIN_RATE = 400e6;

function continues(sides: 'one' | 'two', sent: Float64Array, bytes: Float64Array, index: number): boolean {
  const gap = sent[index]! - sent[index - 1]!;
  return sides === 'one' ? gap === 0 : gap <= Math.max(2, (bytes[index]! * 8e6) / TRAIN_RATE);
}

/** Median rates of the shorter and of the longer half of the trains. */
function halves(trains: readonly Train[]): [number, number] {
  const sorted = [...trains].sort((one, other) => one.packets - other.packets);
  const middle = sorted.length >> 1;
  const median = (of: readonly Train[]) => of.map(({ rate }) => rate).sort((a, b) => a - b)[of.length >> 1]!;
  return [median(sorted.slice(0, middle)), median(sorted.slice(middle))];
}

/** When each datagram left a line of this rate, microseconds, and the longest wait for it. */
export function departures(sent: Float64Array, bytes: Float64Array, rate: number) {
  const left = new Float64Array(sent.length);
  let free = Number.NEGATIVE_INFINITY;
  let waitMax = 0;
  for (let index = 0; index < sent.length; index++) {
    const begins = Math.max(free, sent[index]!);
    waitMax = Math.max(waitMax, begins - sent[index]!);
    free = begins + (bytes[index]! * 8e6) / rate;
    left[index] = free;
  }
  return { left, waitMax };
}
