import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import type { TunPathReport } from './tun-path.ts';

/** What the process inside is to do. */
export interface TunOrder {
  readonly command: readonly [program: string, ...rest: string[]];
  readonly link: LinkSpecification;
  readonly linkBack: LinkSpecification;
  /** Bytes; below 1,280 there is no IPv6 (RFC 8200 §5). */
  readonly mtu: number;
  /** TCP's congestion control inside; `undefined`: the machine's own. */
  readonly congestionControl: string | undefined;
  readonly notsentLowat: number | undefined;
  /** Whether the time of the links begins with the first packet on them, and not when the network is there. */
  readonly linkBeginsWithTraffic?: boolean;
  /** Whether to tell each second how it goes. */
  readonly progress?: boolean;
  /** A pcapng file of what crosses the link. */
  readonly capture: string | undefined;
}

/** What is in force inside, read back from the kernel. */
export interface TunSettings {
  readonly mtu: number;
  readonly ipv6: boolean;
  readonly congestionControl: string;
  readonly notsentLowat: number;
}

/** How a run on the virtual link goes, each second. */
export interface TunProgress extends TunPathReport {
  /** Since the command began. */
  readonly durationSeconds: number;
}

/** How the command ended: with a code, or by a signal. */
export interface CommandEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What a run on the virtual link did. Everything shown to people is made from this. */
export interface TunReport extends TunPathReport, TunSettings {
  readonly command: readonly string[];
  readonly durationSeconds: number;
  readonly end: CommandEnd;
  /** Packets that the device dropped before the link could see them; `null`: not known. Should be 0. */
  readonly deviceDrops: number | null;
  /** From the machine's monotonic clock to the times in the capture, microseconds; `null`: there is none. */
  readonly captureOffset: number | null;
}

/** From the process outside to the one inside. */
export type OutsideMessage =
  | { readonly kind: 'order'; readonly order: TunOrder }
  /** A signal that the process outside got. */
  | { readonly kind: 'signal'; readonly signal: NodeJS.Signals };

/** From the process inside to the one outside. */
export type InsideMessage =
  | { readonly kind: 'started'; readonly settings: TunSettings }
  /** Something went wrong that does not end the run. */
  | { readonly kind: 'error'; readonly message: string }
  | { readonly kind: 'failed'; readonly message: string; readonly exitCode: number }
  | { readonly kind: 'progress'; readonly progress: TunProgress }
  | { readonly kind: 'report'; readonly report: TunReport };
