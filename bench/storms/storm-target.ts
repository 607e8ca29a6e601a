import type { Target } from '../plain-receiver.ts';

/** A sender under attack, and the addresses of the attackers. */
export interface StormTarget extends Target {
  /** Addresses of this machine to attack from, in turn; each counts as a network of its own. */
  readonly addresses: readonly string[];
  readonly rtsp: number;
  readonly whep: number;
  /** Address of the well-behaved receiver, for attacks on plain protocols. */
  readonly receiver: string;
  /** UDP ports to attack, of the sender and of the receiver. */
  readonly udpPorts: readonly number[];
}

/** An attack under way. */
export interface Storm {
  readonly target: StormTarget;
  /** The target, from the next of the addresses. */
  next(): Target;
  /** Counts one connection, request or datagram. */
  count(): void;
}

/** Bit rate of an attacker, bits per second. */
export const RATE = 20e6;
const TICK_MS = 5;

/** Repeats something as often as `RATE` allows, at least every 5 ms: 60 kB are up to 96 Mb/s. */
export function flood(bytesEach: number, send: () => void): void {
  const each = Math.max(1, Math.round((RATE * TICK_MS) / 8_000 / bytesEach));
  repeat(each, send);
}

/** Repeats something `each` times every 5 ms, as far as this machine is fast enough. */
export function repeat(each: number, run: () => void): void {
  setInterval(() => {
    for (let count = 0; count < each; count++) run();
  }, TICK_MS);
}
