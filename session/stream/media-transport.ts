import type { SecureChannel } from '../../io/net/secure-channel.ts';
import type { WelcomeMessage } from '../../protocol/control/control-message.ts';
import type { Ecn } from '../../protocol/ecn.ts';
import type { ByteTunnelCounters } from '../../sim/tcp/byte-tunnel.ts';
import type { EarlyConnection } from './early-connection.ts';

/** Carries the packets of a session between sender and receiver, over the impaired link if there is one. */
export interface MediaTransport {
  /** Opens the path to the sender. Rejects when the sender refuses or cannot be reached. */
  open(): Promise<void>;
  /** Sends RTCP packets of the receiver to the sender. @param path of two, 0 by default */
  send(packets: readonly Uint8Array[], path?: number): void;
  /** Proves this end's address again, as it may have changed on the way; UDP only. */
  proveAddress?(): void;
  /** Closes the transport; nothing is delivered afterwards. */
  close(): void;
  /** TCP segments received so far; `undefined` over UDP or when unknown. */
  readonly segments: number | undefined;
  /** Datagrams dropped by this machine's kernel before they were read; `undefined` over TCP or when not known. */
  readonly hostDrops?: number | undefined;
  /** Datagrams that this machine's operating system refused to send; `undefined` over TCP. */
  readonly sendsRefused?: number | undefined;
  /** Forged or replayed datagrams; `undefined` when they are not encrypted. */
  readonly datagramsRefused?: number | undefined;
  /** Counters of the modelled TCP; `undefined` without one, or before it is open. */
  readonly modeledTcp: ByteTunnelCounters | undefined;
}

export interface MediaTransportOptions {
  readonly host: string;
  readonly port: number;
  readonly welcome: WelcomeMessage;
  /** The control connection's TLS; `undefined` when the stream is not encrypted. */
  readonly channel: SecureChannel | undefined;
  /** Connection that was opened for media before the session was agreed on; over TCP only. */
  readonly early?: EarlyConnection | undefined;
  /** Called for each packet for the receiver, and the path by which it came, until the transport is closed. */
  readonly onPacket: (packet: Uint8Array, ecn?: Ecn, path?: number) => void;
  /** Called for each packet at this end of the path, for a capture. */
  readonly onCrossing?: ((direction: 'in' | 'out', packet: Uint8Array) => void) | undefined;
  /** Called when the path is lost, other than by `close`. */
  readonly onLost: (cause: string) => void;
}
