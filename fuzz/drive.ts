import { type Instant, NEVER } from '../protocol/base/units.ts';
import type { Endpoint } from '../protocol/endpoint.ts';
import { hold } from './fuzz-target.ts';

/** Timeouts that an endpoint may take between two datagrams. A session has a few hundred a second. */
const TIMEOUTS_MAX = 20_000;

/** Receives the output of an endpoint. */
export interface DriveOutput<Event> {
  readonly onDatagram: (datagram: Uint8Array) => void;
  readonly onEvent: (event: Event) => void;
  readonly onTimeout?: () => void;
}

/** Drains an endpoint as its contract requires. */
export function drain<Event>(endpoint: Endpoint<Event>, now: Instant, output: DriveOutput<Event>): void {
  for (let datagram = endpoint.pollTransmit(now); datagram; datagram = endpoint.pollTransmit(now)) {
    output.onDatagram(datagram);
  }
  for (let event = endpoint.pollEvent(); event; event = endpoint.pollEvent()) output.onEvent(event);
}

/**
 * Lets time pass until `end`, with each timeout at its time.
 * @returns the time of the last timeout, or `start`.
 */
export function driveUntil<Event>(
  endpoint: Endpoint<Event>,
  { start, end, output }: { readonly start: Instant; readonly end: Instant; readonly output: DriveOutput<Event> },
): void {
  let now = start;
  for (let timeouts = 0; ; timeouts++) {
    const at = endpoint.pollTimeout() ?? NEVER;
    if (at > end) return;
    hold(timeouts < TIMEOUTS_MAX, 'timeouts end');
    if (at > now) now = at;
    endpoint.handleTimeout(now);
    output.onTimeout?.();
    drain(endpoint, now, output);
  }
}
