import type { Instant } from '../../protocol/base/units.ts';
import type { CarriedStream } from '../../sim/tcp/access-unit-framing.ts';
import type { KernelTcpUnit } from '../lanes/kernel-tcp.ts';

/** Messages to the process that has a network of its own (`kernel-tcp-inside.ts`). */
export type ToKernelTcp =
  /** Opens a connection from this port, in place of the one before. */
  | { readonly kind: 'connect'; readonly port: number }
  | { readonly kind: 'unit'; readonly unit: KernelTcpUnit }
  /** Packets that leave the link, as their sender has sent them. */
  | { readonly kind: 'packets'; readonly packets: readonly Uint8Array[] };

/** From it; instants on the machine's monotonic clock. */
export type FromKernelTcp =
  | { readonly kind: 'ready' }
  /** There is no network, or no more. */
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'sent'; readonly packets: readonly KernelPacket[] }
  | (UnitFate & { readonly kind: 'written'; readonly bytes: number })
  | (UnitFate & { readonly kind: 'given-up' | 'complete'; readonly at: Instant })
  | { readonly kind: 'broken'; readonly port: number; readonly why: string };

/** A unit of the connection from a port. */
interface UnitFate {
  readonly port: number;
  readonly stream: CarriedStream;
  readonly frame: number;
}

/** A packet of the kernel towards the other end. */
export interface KernelPacket {
  readonly at: Instant;
  readonly packet: Uint8Array;
}
