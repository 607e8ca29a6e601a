import { type Microseconds, microseconds, milliseconds } from '../protocol/base/units.ts';

/** Latencies of real end hosts, microseconds; an ideal host has none. `lab calibrate` measures those of a machine. */
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

/**
 * Profiles of the end hosts. `linux-6.18`: the medians that `lab calibrate` measured on a virtual machine with Node 20
 * (docs/VALIDATION.md), under Linux 6.18 with 250 jiffies a second.
 */
export const HOSTS = {
  ideal: undefined,
  'linux-6.18': {
    path: microseconds(150),
    datagramWakeUp: microseconds(960),
    streamWakeUp: microseconds(710),
    processTick: milliseconds(1),
    kernelTick: milliseconds(4),
  },
} as const satisfies Readonly<Record<string, Machine | undefined>>;

/** Name of a profile of the end hosts. */
export type HostName = keyof typeof HOSTS;

/** Names of the profiles, in the order of messages. */
export const HOST_NAMES = Object.keys(HOSTS) as readonly HostName[];
