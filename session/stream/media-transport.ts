import type { WelcomeMessage } from '../../protocol/control/control-message.ts';
import type { ByteTunnelCounters } from '../../sim/tcp/byte-tunnel.ts';

/** Carries one session's packets between its sender and its receiver, with the impaired link that the user put there. */
export interface MediaTransport {
  /** Opens the way to the sender. Rejects when the sender refuses or cannot be reached. */
  open(): Promise<void>;
  /** Sends RTCP packets of the receiver to the sender. */
  send(packets: readonly Uint8Array[]): void;
  /** Delivers nothing more. */
  close(): void;
  /** TCP segments that brought the media so far; `undefined` over UDP, or where the kernel does not tell. */
  readonly segments: number | undefined;
  /** Counters of the modelled TCP; `undefined` without one, or before it is open. */
  readonly modelledTcp: ByteTunnelCounters | undefined;
}

export interface MediaTransportOptions {
  readonly host: string;
  readonly port: number;
  readonly welcome: WelcomeMessage;
  /** A packet for the receiver. Not called once the transport is closed. */
  readonly onPacket: (packet: Uint8Array) => void;
  /** Each packet as it crosses our end of the path, for a capture. */
  readonly onCrossing?: ((direction: 'in' | 'out', packet: Uint8Array) => void) | undefined;
  /** The way is gone, other than by `close`. */
  readonly onLost: (cause: string) => void;
}
