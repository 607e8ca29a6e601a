import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import type { CongestionControlName } from '../../sim/tcp/congestion-control.ts';
import { ConnectionTransport } from './connection-transport.ts';
import { DatagramTransport } from './datagram-transport.ts';
import type { MediaTransport, MediaTransportOptions } from './media-transport.ts';
import { ModeledTransport } from './modeled-transport.ts';
import type { SecondPath } from './second-path.ts';
import { TwoPathTransport } from './two-path-transport.ts';

export interface MediaTransportChoice {
  readonly transport: 'udp' | 'tcp';
  /** Link that impairs the path; over TCP, the connection is then modelled. */
  readonly link: LinkSpecification | undefined;
  /** Second path, which the sender has agreed to; `undefined` for one. Over UDP only. */
  readonly second?: SecondPath | undefined;
  /** Called when the second path cannot be opened. */
  readonly onSecondClosed?: ((cause: string) => void) | undefined;
  /** Congestion control of the modelled TCP. */
  readonly congestionControl: CongestionControlName;
}

/** Creates the transport that the user chose: UDP, also by two paths, RFC 4571 over TCP, or the same over a modelled TCP. */
export function createMediaTransport(
  { transport, link, second, onSecondClosed = () => {}, congestionControl }: MediaTransportChoice,
  options: MediaTransportOptions,
): MediaTransport {
  if (transport === 'udp' && second) return new TwoPathTransport({ ...options, link, second, onSecondClosed });
  if (transport === 'udp') return new DatagramTransport({ ...options, link });
  return link ? new ModeledTransport({ ...options, link, congestionControl }) : new ConnectionTransport(options);
}
