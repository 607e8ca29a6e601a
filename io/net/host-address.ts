import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { causeOf, Failure } from '../os/failure.ts';
import { isLoopback } from './datagram-socket.ts';

/** The address of a host's name; IPv4 where it has both, since that is what most programs take `localhost` for. */
export async function resolveHost(host: string): Promise<string> {
  if (isIP(host) !== 0) return host;
  try {
    return (await lookup(host, { order: 'ipv4first' })).address;
  } catch (error) {
    const unknown = ['ENOTFOUND', 'EAI_AGAIN'].includes((error as NodeJS.ErrnoException).code ?? '');
    throw new Failure(`cannot find the host ${host}: ${unknown ? 'its name has no address' : causeOf(error)}`);
  }
}

/** Whether what is sent to `host` arrives at a socket of this machine that is bound to `bound`. */
export function arrivesAt(host: string, bound: string): boolean {
  if (host === bound) return true;
  if (bound !== '0.0.0.0' && bound !== '::') return false;
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return host === '0.0.0.0' || host === '::' || isLoopback(host) || own.some(({ address }) => address === host);
}

/** An address and a port as they are written together; an IPv6 address stands in brackets (RFC 3986 §3.2.2). */
export const formatAddress = ({ host, port }: { readonly host: string; readonly port: number }): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
