import { type Microseconds, microseconds } from '../../protocol/base/units.ts';
import { CONGESTION_CONTROL_DEFAULT, type CongestionControlName } from './congestion-control.ts';

export interface TcpConnectionOptions {
  /** The active end opens the connection; the passive end waits. */
  readonly role: 'active' | 'passive';
  readonly localPort: number;
  readonly remotePort: number;
  /** Initial sequence number, 0 … 2^32 − 1; lets tests cover wrap-around. */
  readonly initialSequence: number;
  readonly congestionControl: CongestionControlName;
  /** Seed of BBR's random choices. */
  readonly seed: number;
  /** Largest segment without its header, options included (RFC 9293 §3.7.1): 12 bytes of it are timestamps. */
  readonly maximumSegmentSize: number;
  /** Size of the receive buffer, bytes, for data beyond gaps and unread data; fixed, without autotuning. */
  readonly receiveBufferBytes: number;
  /**
   * Time from the first arriving segment until the application reads; 0: immediately. Acknowledgments wait for the
   * read.
   */
  readonly readDelay: Microseconds;
  /** True: the last segment of a burst handed to the device at once carries PSH, as with segmentation offload. */
  readonly marksBursts: boolean;
  /** Resolution of TCP's timers (a kernel's jiffy), microseconds; 1: exact. Pacing is always exact. */
  readonly timerTick: Microseconds;
}

/**
 * 1448 bytes of payload per segment (path MTU 1500), and a receive buffer of the maximum default size of Linux
 * (`tcp_rmem`).
 */
export const TCP_DEFAULTS = {
  congestionControl: CONGESTION_CONTROL_DEFAULT,
  seed: 1,
  maximumSegmentSize: 1_460,
  receiveBufferBytes: 6 * 1_024 * 1_024,
  readDelay: microseconds(0),
  marksBursts: false,
  timerTick: microseconds(1),
} as const satisfies Partial<TcpConnectionOptions>;

export type TcpEvent =
  | { readonly kind: 'established' }
  /** The next bytes of the stream; the reader takes ownership. */
  | { readonly kind: 'data'; readonly bytes: Uint8Array }
  /** The peer has finished; no more data follows. */
  | { readonly kind: 'finished' }
  /** Both directions have ended, and everything is acknowledged. */
  | { readonly kind: 'closed' }
  /** The peer reset the connection. */
  | { readonly kind: 'reset' }
  /** The connection or the handshake timed out (`tcp_retries2`, `tcp_syn_retries`). */
  | { readonly kind: 'timed-out' }
  /** A datagram that is not a segment of this connection, with the reason. */
  | { readonly kind: 'malformed'; readonly cause: string };

/** The media sender's end of a modelled connection. Ports and sequence numbers are arbitrary: one process has both ends. */
export const SENDER_END = { localPort: 5_004, remotePort: 6_004, initialSequence: 1_000 } as const;
/** The media receiver's end of the same connection. */
export const RECEIVER_END = { localPort: 6_004, remotePort: 5_004, initialSequence: 2_000 } as const;
