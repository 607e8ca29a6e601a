import type { Instant } from './base/units.ts';

/**
 * A protocol machine without an operating system: time, chance and datagrams are arguments, results are polled.
 *
 * Contract: after every `handle…` (and after every command of the machine's own, such as `Sender.send`), drain
 * `pollTransmit` and `pollEvent`, then wait until `pollTimeout` or the next datagram, whichever is first.
 */
export interface Endpoint<Event> {
  handleDatagram(now: Instant, datagram: Uint8Array): void;
  handleTimeout(now: Instant): void;
  /** The next datagram to put on the wire; call until `undefined`. */
  pollTransmit(now: Instant): Uint8Array | undefined;
  /** The next thing that happened; call until `undefined`. */
  pollEvent(): Event | undefined;
  /** When `handleTimeout` wants to be called next; `undefined`: nothing waits for time. May lie in the past. */
  pollTimeout(): Instant | undefined;
}
