import type { Microseconds } from '../protocol/base/units.ts';

/**
 * Latencies of real end hosts, microseconds. All are zero in plain simulation; they are set to compare a simulation
 * with a measurement.
 */
export interface Machine {
  /** From the end of the path until the kernel has the packet. */
  readonly path: Microseconds;
  /**
   * From then until the process waiting for a datagram runs; `streamWakeUp`: until a process reading a connection has
   * read it.
   */
  readonly datagramWakeUp: Microseconds;
  readonly streamWakeUp: Microseconds;
  /** Resolution of the processes' timers. */
  readonly processTick: Microseconds;
  /** Resolution of the kernel's timers (a jiffy). */
  readonly kernelTick: Microseconds;
}
