import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import type { CongestionControlName } from '../../sim/tcp/congestion-control.ts';
import { ConnectionTransport } from './connection-transport.ts';
import { DatagramTransport } from './datagram-transport.ts';
import type { MediaTransport, MediaTransportOptions } from './media-transport.ts';
import { ModeledTransport } from './modeled-transport.ts';

export interface MediaTransportChoice {
  readonly transport: 'udp' | 'tcp';
  /** Link that impairs the path; over TCP, the connection is then modelled. */
  readonly link: LinkSpecification | undefined;
  /** Congestion control of the modelled TCP. */
  readonly congestionControl: CongestionControlName;
}

/** Creates the transport that the user chose: UDP, RFC 4571 over TCP, or the same over a modelled TCP. */
export function createMediaTransport(
  { transport, link, congestionControl }: MediaTransportChoice,
  options: MediaTransportOptions,
): MediaTransport {
  if (transport === 'udp') return new DatagramTransport({ ...options, link });
  return link ? new ModeledTransport({ ...options, link, congestionControl }) : new ConnectionTransport(options);
}
