import type { Instant } from './base/units.ts';
import type { Ecn } from './ecn.ts';

/**
 * A protocol state machine without I/O: time, randomness and datagrams are arguments, results are polled.
 *
 * Contract: after every `handle…` (and after every other command, such as `Sender.send`), drain `pollTransmit` and
 * `pollEvent`, then wait until `pollTimeout` or the next datagram, whichever comes first.
 */
export interface Endpoint<Event> {
  /**
   * @param ecn ECN bits of the packet that carried the datagram; absent when unknown or not ECN-capable.
   * @param path number of the path by which it came, where there are several; absent: 0.
   */
  handleDatagram(now: Instant, datagram: Uint8Array, ecn?: Ecn, path?: number): void;
  handleTimeout(now: Instant): void;
  /** Returns the next datagram to transmit; call until `undefined`. */
  pollTransmit(now: Instant): Uint8Array | undefined;
  /** ECN bits that the datagram returned last by `pollTransmit` is to be sent with; absent: not ECN-capable. */
  readonly transmitEcn?: Ecn;
  /** Number of the path by which that datagram is to be sent; absent: 0. */
  readonly transmitPath?: number;
  /** Returns the next event; call until `undefined`. */
  pollEvent(): Event | undefined;
  /** Time of the next `handleTimeout`, possibly in the past; `undefined` when no timer is running. */
  pollTimeout(): Instant | undefined;
}
