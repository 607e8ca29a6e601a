import { type Instant, instant, NEVER } from '../../protocol/base/units.ts';
import { Link } from '../../sim/link/link.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';

/** A schedule of datagrams: times in microseconds, ascending, and the bytes of their IP packets. */
export interface Schedule {
  readonly sent: Float64Array;
  readonly bytes: Float64Array;
}

/** Result of a schedule on a link: NaN for datagrams that never arrived. */
export interface SimulatedPath {
  readonly arrived: Float64Array;
  /** Position in the order of arrival. */
  readonly rank: Float64Array;
  /** Arrivals of second copies. */
  readonly copies: readonly { readonly index: number; readonly at: number }[];
}

const NUMBER_BYTES = 4;

/** Sends a schedule over a link on a virtual clock. */
export function simulatePath(link: LinkSpecification, { sent, bytes }: Schedule): SimulatedPath {
  const path = new Link(link, 'forward', { headerBytes: 0 });
  const arrived = new Float64Array(sent.length).fill(Number.NaN);
  const rank = new Float64Array(sent.length).fill(Number.NaN);
  const copies: { index: number; at: number }[] = [];
  let order = 0;
  const deliver = (until: Instant): void => {
    for (let at = path.pollTimeout(); at !== undefined && at <= until; at = path.pollTimeout()) {
      for (let datagram = path.pollDelivery(at); datagram; datagram = path.pollDelivery(at)) {
        const index = new DataView(datagram.buffer, datagram.byteOffset).getUint32(0);
        if (Number.isNaN(arrived[index]!)) {
          arrived[index] = at;
          rank[index] = order++;
        } else copies.push({ index, at });
      }
    }
  };
  for (let index = 0; index < sent.length; index++) {
    const now = instant(Math.round(sent[index]!));
    deliver(now);
    // Only the length matters to the link; the number tells the datagrams apart.
    const datagram = new Uint8Array(NUMBER_BYTES);
    new DataView(datagram.buffer).setUint32(0, index);
    path.send(now, datagram, { headerBytes: bytes[index]! - NUMBER_BYTES });
  }
  deliver(NEVER);
  return { arrived, rank, copies };
}

/** Lengths of the runs of losses. */
export function lossRuns(lost: ArrayLike<number>): number[] {
  const runs: number[] = [];
  let run = 0;
  for (let index = 0; index <= lost.length; index++) {
    if (index < lost.length && lost[index] === 1) run++;
    else if (run > 0) {
      runs.push(run);
      run = 0;
    }
  }
  return runs;
}

/**
 * Largest difference between the distributions of two samples (Kolmogorov–Smirnov).
 * @param slack values that differ by no more are equal
 */
export function sampleDifference(one: ArrayLike<number>, other: ArrayLike<number>, slack = 0): number {
  if (one.length === 0 || other.length === 0) return one.length === other.length ? 0 : 1;
  const [a, b] = [Float64Array.from(one).sort(), Float64Array.from(other).sort()];
  return Math.max(excess(a, b, slack), excess(b, a, slack));
}

/** Largest amount by which the share of `a` up to a value exceeds that of `b` up to `slack` more. Both ascend. */
function excess(a: Float64Array, b: Float64Array, slack: number): number {
  let [j, most] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    if (i + 1 < a.length && a[i + 1] === a[i]) continue;
    while (j < b.length && b[j]! <= a[i]! + slack) j++;
    most = Math.max(most, (i + 1) / a.length - j / b.length);
  }
  return most;
}
