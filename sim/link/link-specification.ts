import type { Microseconds } from '../../protocol/base/units.ts';
import type { CongestionControlName } from '../tcp/congestion-control.ts';
import type { DelayQuantiles } from './link-values.ts';
import type { LossModel } from './loss/loss-model.ts';
import type { NetemParameters } from './netem/netem-parameters.ts';
import type { DisciplineOptions } from './queue/queue-discipline.ts';
import type { CapacityTrace } from './stages/capacity-trace.ts';
import type { JitterDistribution } from './stages/propagation.ts';
import type { SlipOptions } from './stages/slip.ts';

/** An interval, microseconds since the link began: `from` inclusive, `until` exclusive. */
export interface OutageWindow {
  readonly from: Microseconds;
  readonly until: Microseconds;
}

/** Traffic of the link's own: a TCP download without end, or datagrams at a constant payload rate, bits per second. */
export type CrossTrafficKind = { readonly congestionControl: CongestionControlName } | { readonly rate: number };

/** A change of the link's parameters, `at` microseconds after its start. The random streams continue. */
export interface LinkChange {
  readonly at: Microseconds;
  readonly link: LinkSpecification;
}

/**
 * Parameters of one direction of an impaired path. Stages in order: bottleneck queue, loss, outages, duplication, delay
 * and jitter, reordering (slip), corruption; see docs/LINK.md. Optional fields are absent when unused.
 */
export interface LinkSpecification {
  /** Mean fraction of datagrams lost, 0 … 1; 0 when `lossModel` is set. */
  readonly loss: number;
  /** Mean loss burst, datagrams (Gilbert model). Losses are independent when it is at most 1/(1 − loss). */
  readonly burst: number;
  /** Loss model that replaces `loss` and `burst`. */
  readonly lossModel?: LossModel;
  /**
   * `pre`: loss and outages act before the bottleneck, so lost datagrams use none of its capacity. Absent: after it.
   */
  readonly lossPosition?: 'pre';
  /** Intervals of total loss, ascending. */
  readonly outages?: readonly OutageWindow[];
  /** Propagation delay, microseconds. */
  readonly delay: Microseconds;
  /** Additional delay, microseconds; uniform in 0 … jitter unless `jitterDistribution` is set. */
  readonly jitter: Microseconds;
  readonly jitterDistribution?: Exclude<JitterDistribution, 'uniform'>;
  /** Distribution of the additional delay, in place of `jitter`, which is then 0. */
  readonly quantiles?: DelayQuantiles;
  /** `free`: jitter may reorder datagrams. `kept`: a datagram waits for those sent before it. */
  readonly order: 'free' | 'kept';
  /** Queue-like jitter applied before `jitter`: uniform in 0 … fifoJitter, microseconds, without reordering. */
  readonly fifoJitter?: Microseconds;
  /** Fraction of datagrams moved behind later ones, and by how many places. */
  readonly slip?: SlipOptions;
  /** Fraction of datagrams delivered twice, 0 … 1. */
  readonly duplicate: number;
  /** Fraction of datagrams delivered with one bit flipped, 0 … 1. */
  readonly corrupt: number;
  /** Bottleneck rate, bits per second; 0: unlimited. */
  readonly rate: number;
  /** Recorded capacity, used instead of `rate`. */
  readonly capacity?: CapacityTrace;
  /**
   * Longest queueing delay at the bottleneck, microseconds; a datagram that would wait longer is dropped (tail drop).
   */
  readonly queue: Microseconds;
  /** Queue limit in bytes, headers included. */
  readonly queueBytes?: number;
  /** Queue limit in datagrams. */
  readonly queuePackets?: number;
  /** Queue discipline of the bottleneck within these limits; absent: tail drop. */
  readonly discipline?: DisciplineOptions;
  /** Traffic of others that shares the bottleneck of a `forward` link; absent: none. */
  readonly cross?: CrossTrafficKind;
  /** A Linux netem configuration, with its own order of stages, that replaces all fields above. */
  readonly netem?: NetemParameters;
  /** Seed of all random streams: the same seed reproduces the same path. */
  readonly seed: number;
  /** Later parameters of the link, in ascending order of time. The seed does not change. */
  readonly changes?: readonly LinkChange[];
}
