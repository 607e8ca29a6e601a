import { isIPv4, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { MulticastOptions } from '../../io/net/datagram-socket.ts';
import { Failure } from '../../io/os/failure.ts';

/** How a stream is sent to a group. */
export interface MulticastWishes {
  /** Routers that datagrams pass at most, 1 … 255; 1, this network, by default. */
  readonly hops?: number | undefined;
  /** Name or address of the interface; that of the route by default. */
  readonly interface?: string | undefined;
}

/**
 * Returns the socket's options for a group.
 * @throws {Failure} in one line for an interface that is not there, or has no address of the group's family.
 */
export function multicastOptions(group: string, { hops = 1, interface: wanted }: MulticastWishes): MulticastOptions {
  if (wanted === undefined) return { hops, interface: undefined };
  const own = networkInterfaces();
  if (isIPv6(group)) {
    const name = own[wanted] ? wanted : nameOf(wanted);
    if (name === undefined) throw missingInterface(wanted);
    return { hops, interface: `::%${name}` };
  }
  if (isIPv4(wanted)) return { hops, interface: wanted };
  const found = own[wanted];
  if (!found) throw missingInterface(wanted);
  const address = found.find(({ family }) => family === 'IPv4')?.address;
  if (address === undefined) throw new Failure(`the interface ${wanted} has no IPv4 address, which ${group} needs`, 2);
  return { hops, interface: address };
}

const nameOf = (wanted: string): string | undefined =>
  Object.entries(networkInterfaces()).find(([, addresses]) =>
    addresses?.some(({ address }) => address === wanted),
  )?.[0];

const missingInterface = (wanted: string): Failure =>
  new Failure(`there is no interface ${wanted}: this machine has ${Object.keys(networkInterfaces()).join(', ')}`, 2);
