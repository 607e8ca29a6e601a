import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { causeOf, Failure } from '../os/failure.ts';

/** Returns the addresses at which other machines reach a socket of this machine that is bound to `bound`. */
export function reachableAddresses(bound: string): readonly string[] {
  if (bound !== '0.0.0.0' && bound !== '::') return [bound];
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const reachable = own.filter(
    ({ internal, family, scopeid }) => !internal && (family === 'IPv4' || (bound === '::' && !scopeid)),
  );
  return reachable.length > 0 ? reachable.map(({ address }) => address) : [bound === '::' ? '::1' : '127.0.0.1'];
}

/** Resolves a host name; prefers IPv4, as most programs do for `localhost`. @throws {Failure} for an unknown host. */
export async function resolveHost(host: string): Promise<string> {
  if (isIP(host) !== 0) return host;
  try {
    return (await lookup(host, { order: 'ipv4first' })).address;
  } catch (error) {
    const unknown = ['ENOTFOUND', 'EAI_AGAIN'].includes((error as NodeJS.ErrnoException).code ?? '');
    throw new Failure(`cannot find the host ${host}: ${unknown ? 'the name has no address' : causeOf(error)}`);
  }
}

/** True when a datagram sent to `host` reaches a socket of this machine bound to `bound`. */
export function arrivesAt(host: string, bound: string): boolean {
  if (host === bound) return true;
  if (bound !== '0.0.0.0' && bound !== '::') return false;
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return host === '0.0.0.0' || host === '::' || isLoopback(host) || own.some(({ address }) => address === host);
}

/** The address by which a socket is bound to all addresses of the other end's family. */
export const anyAddressLike = (address: string): string => (address.includes(':') ? '::' : '0.0.0.0');

/** Formats an address and a port; an IPv6 address is put in brackets (RFC 3986 §3.2.2). */
export const formatAddress = ({ host, port }: { readonly host: string; readonly port: number }): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/**
 * URLs at which other machines reach a server of this machine.
 * @param bound address and port to which it is bound.
 * @param rest of each URL, behind the port.
 */
export const reachableUrls = (
  scheme: string,
  bound: { readonly host: string; readonly port: number },
  rest: string,
): readonly string[] =>
  reachableAddresses(bound.host).map((host) => `${scheme}://${formatAddress({ host, port: bound.port })}${rest}`);

/** True for an IP address of this machine's loopback interface. */
export const isLoopback = (host: string): boolean => host === '::1' || host.startsWith('127.');

/** True for the `Host` of a request, or the host of an `Origin`, that names this machine's loopback interface. */
export const isLoopbackHost = (host: string): boolean =>
  /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i.test(host);
