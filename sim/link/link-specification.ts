import type { Microseconds } from '../../protocol/base/instant.ts';
import type { LossModel } from './loss/loss-model.ts';
import type { NetemParameters } from './netem/netem-parameters.ts';
import type { CapacityTrace } from './stages/capacity-trace.ts';
import type { JitterDistribution } from './stages/propagation.ts';
import type { SlipOptions } from './stages/slip.ts';

/** A span of time, microseconds since the link began; the end is not part of it. */
export interface OutageWindow {
  readonly from: Microseconds;
  readonly until: Microseconds;
}

/** From `at` on (microseconds since the link began) the link is this one. Draws go on where they were. */
export interface LinkChange {
  readonly at: Microseconds;
  readonly link: LinkSpecification;
}

/**
 * One direction of an impaired path. Stages in order: queue and line, loss, outages, duplication, delay and jitter,
 * slipping back, corruption; docs/LINK.md tells each. What is optional is absent where it is not used.
 */
export interface LinkSpecification {
  /** Mean share of datagrams lost, 0 … 1; 0 where `lossModel` says more. */
  readonly loss: number;
  /** Mean length of a run of losses in datagrams (Gilbert's model); 1 or less than 1/(1 − loss): independent losses. */
  readonly burst: number;
  /** Another model of loss than the above. */
  readonly lossModel?: LossModel;
  /** Where loss and outages are: `pre` the bottleneck, so that what is lost takes none of it; absent: behind it. */
  readonly lossPosition?: 'pre';
  /** When nothing comes through, ascending. */
  readonly outages?: readonly OutageWindow[];
  /** Propagation delay, microseconds. */
  readonly delay: number;
  /** Extra delay, microseconds; without `jitterDistribution` uniform in 0 … jitter. */
  readonly jitter: number;
  readonly jitterDistribution?: Exclude<JitterDistribution, 'uniform'>;
  /** Whether jitter may put datagrams out of order. */
  readonly order: 'free' | 'kept';
  /** Jitter of another kind, before the other: uniform in 0 … fifoJitter, and never out of order; microseconds. */
  readonly fifoJitter?: number;
  /** Share of datagrams that arrive behind some that were sent later, and behind how many. */
  readonly slip?: SlipOptions;
  /** Share of datagrams delivered twice, 0 … 1. */
  readonly duplicate: number;
  /** Share of datagrams delivered with one bit flipped, 0 … 1. */
  readonly corrupt: number;
  /** Bottleneck rate, bits a second; 0: none. */
  readonly rate: number;
  /** A recorded capacity in place of a rate. */
  readonly capacity?: CapacityTrace;
  /** Longest time that a datagram may wait for the bottleneck before it is dropped at the tail, microseconds. */
  readonly queue: number;
  /** Most bytes, headers counted, that may wait for the bottleneck. */
  readonly queueBytes?: number;
  /** Most datagrams that may wait for the bottleneck. */
  readonly queuePackets?: number;
  /** A Linux queueing discipline with its own order of stages, in place of everything above. */
  readonly netem?: NetemParameters;
  /** Which of the repeatable paths: same seed, same fates. */
  readonly seed: number;
  /** What becomes of the link in the course of time, ascending; the seed stays. */
  readonly changes?: readonly LinkChange[];
}
