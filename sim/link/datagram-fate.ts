import type { Instant, Microseconds } from '../../protocol/base/units.ts';
import type { Ecn } from '../../protocol/ecn.ts';

/** Fate of a datagram: under way (once or twice), or dropped by the loss stage or by the queue. */
export type DecidedFate = 'carried' | 'duplicated' | 'lost' | 'overflowed';

/** Result of sending a datagram. `queued`: it waits in a queue whose discipline decides later; see `pollOutcome`. */
export type DatagramFate = DecidedFate | 'queued';

/** Fate of a datagram at the bottleneck and in the loss stage. */
export interface LinkOutcome {
  /** Begin of its transmission, or the time at which it was dropped. */
  readonly at: Instant;
  readonly datagram: Uint8Array;
  readonly flow: number;
  /** ECN bits with which it left the queue. */
  readonly ecn: Ecn;
  /** Size on the line, headers included. */
  readonly bytes: number;
  /** Time in the queue, microseconds. */
  readonly waited: Microseconds;
  readonly fate: DecidedFate;
}
