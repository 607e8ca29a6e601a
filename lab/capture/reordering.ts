import { type Interval, wilson } from '../report/interval.ts';
import type { PathObservation } from './observation.ts';

/** Reordering as RFC 4737 counts it: datagrams that arrived after one that was sent later. */
export interface Reordering {
  readonly late: number;
  readonly share: Interval;
  /** Number of later datagrams that arrived first, of most late datagrams. */
  readonly usualExtent: number;
  /** True when the late datagrams were moved by that number of places, as `slip` does, whatever the time. */
  readonly isByPlaces: boolean;
  /** 1 for each late datagram. */
  readonly isLate: Uint8Array;
}

/** Places that are counted at most: `slip` moves by up to a thousand. */
const EXTENT_MAX = 1_000;
/** Datagrams that are delivered together. */
const TOGETHER_US = 20;
const BY_PLACES_SHARE = 0.7;

export function findReordering({ rank, arrived }: PathObservation): Reordering {
  const received: number[] = [];
  for (let index = 0; index < rank.length; index++) if (!Number.isNaN(rank[index]!)) received.push(index);
  const isLate = new Uint8Array(rank.length);
  const extents = new Map<number, number>();
  let [late, together] = [0, 0];
  let first = Number.POSITIVE_INFINITY;
  for (let place = received.length - 1; place >= 0; place--) {
    const index = received[place]!;
    const own = rank[index]!;
    if (own < first) {
      first = own;
      continue;
    }
    isLate[index] = 1;
    late++;
    let extent = 0;
    let last = Number.NEGATIVE_INFINITY;
    for (let next = place + 1; next < received.length && next <= place + EXTENT_MAX; next++) {
      if (rank[received[next]!]! > own) continue;
      extent++;
      last = Math.max(last, arrived[received[next]!]!);
    }
    extents.set(extent, (extents.get(extent) ?? 0) + 1);
    if (arrived[index]! - last <= TOGETHER_US) together++;
  }
  const [usualExtent = 0, usual = 0] = [...extents].sort((one, other) => other[1] - one[1])[0] ?? [];
  const isByPlaces = late > 0 && usual >= BY_PLACES_SHARE * late && together >= BY_PLACES_SHARE * late;
  return { late, share: wilson(late, received.length), usualExtent, isByPlaces, isLate };
}
