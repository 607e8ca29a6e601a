import type { Microseconds } from '../../protocol/base/units.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import type { TunPathReport } from './tun-path.ts';

/** Order to the process inside. */
export interface TunOrder {
  readonly command: readonly [program: string, ...rest: string[]];
  readonly link: LinkSpecification;
  readonly linkBack: LinkSpecification;
  /** MTU, bytes; below 1,280 there is no IPv6 (RFC 8200 §5). */
  readonly mtu: number;
  /** Congestion control of TCP inside; `undefined`: the machine's default. */
  readonly congestionControl: string | undefined;
  readonly notsentLowat: number | undefined;
  /** True when the clocks of the links start with their first packet rather than with the network. */
  readonly linkBeginsWithTraffic?: boolean;
  /** True to report progress every second. */
  readonly progress?: boolean;
  /** Path of a pcapng file with the packets that cross the link. */
  readonly capture: string | undefined;
}

/** Settings in force inside, read back from the kernel. */
export interface TunSettings {
  readonly mtu: number;
  readonly ipv6: boolean;
  readonly congestionControl: string;
  readonly notsentLowat: number;
}

/** Progress of a run on the virtual link, every second. */
export interface TunProgress extends TunPathReport {
  /** Seconds since the start of the command. */
  readonly durationSeconds: number;
}

/** End of the command: an exit code or a signal. */
export interface CommandEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Report of a run on the virtual link, and source of all texts about it. */
export interface TunReport extends TunPathReport, TunSettings {
  readonly command: readonly string[];
  readonly durationSeconds: number;
  readonly end: CommandEnd;
  /** Packets dropped by the device before the link could see them, normally 0; `null` when unknown. */
  readonly deviceDrops: number | null;
  /** Offset from the machine's monotonic clock to the times in the capture, microseconds; `null` without a capture. */
  readonly captureOffset: Microseconds | null;
}

/** Messages from the process outside to the one inside. */
export type OutsideMessage =
  | { readonly kind: 'order'; readonly order: TunOrder }
  /** A signal received by the process outside. */
  | { readonly kind: 'signal'; readonly signal: NodeJS.Signals };

/** Messages from the process inside to the one outside. */
export type InsideMessage =
  | { readonly kind: 'started'; readonly settings: TunSettings }
  /** An error that does not end the run. */
  | { readonly kind: 'error'; readonly message: string }
  | { readonly kind: 'failed'; readonly message: string; readonly exitCode: number }
  | { readonly kind: 'progress'; readonly progress: TunProgress }
  | { readonly kind: 'report'; readonly report: TunReport };
