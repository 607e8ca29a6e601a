import type { Microseconds } from '../../protocol/base/instant.ts';
import type { CongestionControlName } from './congestion-control.ts';

export interface TcpConnectionOptions {
  /** The active end begins when it is told to; the passive end waits for it. */
  readonly role: 'active' | 'passive';
  readonly localPort: number;
  readonly remotePort: number;
  /** The initial sequence number, 0…2^32-1: with it the same story can be told from any place of the ring. */
  readonly initialSequence: number;
  readonly congestionControl: CongestionControlName;
  /** What BBR leaves to chance. */
  readonly seed: number;
  /** The largest segment without its header, options counted in (RFC 9293 §3.7.1): 12 bytes of it are timestamps. */
  readonly maximumSegmentSize: number;
  /** Bytes that the receiving direction holds at most, whether beyond a gap or not read yet; fixed, not tuned. */
  readonly receiveBufferBytes: number;
  /** From the first segment that comes until the application reads; 0: it reads at once. Acknowledgments wait for it. */
  readonly readDelay: Microseconds;
  /** The last segment of those that are handed to the device together carries PSH, as with segmentation offload. */
  readonly marksBursts: boolean;
  /** TCP's timers ring at whole multiples of this (a kernel's jiffy); 1: to the microsecond. Pacing is always exact. */
  readonly timerTick: Microseconds;
}

/** 1448 bytes of payload on a path of 1500, and a receive buffer as large as Linux' default lets one grow (`tcp_rmem`). */
export const TCP_DEFAULTS = {
  congestionControl: 'cubic',
  seed: 1,
  maximumSegmentSize: 1_460,
  receiveBufferBytes: 6 * 1_024 * 1_024,
  readDelay: 0,
  marksBursts: false,
  timerTick: 1,
} as const satisfies Partial<TcpConnectionOptions>;

export type TcpEvent =
  | { readonly kind: 'established' }
  /** The next bytes of the stream. They are the reader's. */
  | { readonly kind: 'data'; readonly bytes: Uint8Array }
  /** The other end will send nothing more. */
  | { readonly kind: 'finished' }
  /** Both directions ended, and everything is acknowledged. */
  | { readonly kind: 'closed' }
  /** The other end broke off. */
  | { readonly kind: 'reset' }
  /** Nothing was heard for as long as one waits (`tcp_retries2`, `tcp_syn_retries`). */
  | { readonly kind: 'timed-out' }
  /** No segment of this connection: why, in a word. */
  | { readonly kind: 'malformed'; readonly cause: string };
