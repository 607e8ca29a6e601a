import type { Microseconds } from '../protocol/base/instant.ts';

/**
 * What real ends of a path take beside what the protocols ask for; all of it is nothing on the virtual clock, unless a
 * simulation is to be held against a measurement. Microseconds.
 */
export interface Machine {
  /** From the end of the path until the kernel has a packet. */
  readonly path: Microseconds;
  /** From then until the process that waits for a datagram runs, and until one that reads a connection has read it. */
  readonly datagramWakeUp: Microseconds;
  readonly streamWakeUp: Microseconds;
  /** The processes' timers ring at whole multiples of this. */
  readonly processTick: Microseconds;
  /** The kernel's own timers do at those of this (a jiffy). */
  readonly kernelTick: Microseconds;
}
