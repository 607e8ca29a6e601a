import type { Instant } from '../../protocol/base/units.ts';
import type { CarriedStream } from '../../sim/tcp/access-unit-framing.ts';

/** Observation of the kernel's TCP; instants on the process's clock. */
export type KernelTcpEvent =
  /** The kernel has sent a packet towards the other end; the bytes are an IPv4 packet in a buffer of its own. */
  | { readonly kind: 'sent'; readonly at: Instant; readonly packet: Uint8Array }
  /** A frame was given to the kernel. @property bytes its size in the stream. */
  | { readonly kind: 'written'; readonly stream: CarriedStream; readonly frame: number; readonly bytes: number }
  /** A frame waited too long before it was given to the kernel, and was dropped. */
  | { readonly kind: 'given-up'; readonly at: Instant; readonly stream: CarriedStream; readonly frame: number }
  /** The receiving end has read the last byte of a frame. */
  | { readonly kind: 'complete'; readonly at: Instant; readonly stream: CarriedStream; readonly frame: number }
  /** The connection, or what runs it, has failed. */
  | { readonly kind: 'failed'; readonly why: string };

/** A frame, or a unit of sound, to be sent. */
export interface KernelTcpUnit {
  readonly stream: CarriedStream;
  /** Counts the units of its stream. */
  readonly frame: number;
  readonly isKey: boolean;
  /** In the form of `sim/tcp/access-unit-framing.ts`. */
  readonly bytes: Uint8Array;
}

/** Two ends of a TCP connection of the machine's kernel, in a network of their own whose packets pass through the lane. */
export interface KernelTcp {
  /** True once the network is there. */
  readonly isReady: boolean;
  /** Opens a connection in place of the one before; its events go to the listener. @returns port of the sending end. */
  connect(listener: (event: KernelTcpEvent) => void): number;
  send(unit: KernelTcpUnit): void;
  /** Gives packets to the kernel, as they left the link: with the source and destination of the sender. */
  deliver(packets: readonly Uint8Array[]): void;
  close(): void;
}

export interface KernelTcpOptions {
  /** Called once the network is there. */
  readonly onReady: () => void;
  /** Called when there is no network, or no more. @param why one line. */
  readonly onFailure: (why: string) => void;
}

/** Gives lanes the kernel's TCP, where the machine allows it. */
export interface KernelTcpSource {
  /** Returns why this machine has none, in one line; `undefined` when it has. */
  obstacle(): Promise<string | undefined>;
  open(options: KernelTcpOptions): KernelTcp;
}
