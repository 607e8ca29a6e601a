import type { Instant } from '../../protocol/base/units.ts';

/** Properties of a link besides its parameters. */
export interface LinkOptions {
  /** Zero point of the link's own time: an event at 10 s happens 10 s later. Virtual clocks begin at 0. */
  readonly startsAt?: Instant;
  /**
   * Header bytes that the bottleneck carries with each datagram: 28 for IPv4 and UDP; 0 when whole IP packets are sent.
   */
  readonly headerBytes?: number;
  /**
   * Datagrams whose outcomes `pollOutcome` returns: those that `send` could not decide, or all. Without it there are
   * none; with it they have to be polled.
   */
  readonly reports?: 'queued' | 'all';
}
