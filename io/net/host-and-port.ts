import { isIPv6 } from 'node:net';

/** A host and a port as a user writes them. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/**
 * Parses `HOST:PORT`, `[IPv6]:PORT` and, with a default port, `HOST`, `[IPv6]` and `IPv6`. A zone may follow an IPv6
 * address as `%eth0` or, as in URLs, `%25eth0` (RFC 6874). Returns `undefined` for anything else.
 */
export function parseHostAndPort(text: string, defaultPort?: number): HostAndPort | undefined {
  const bare = text.replace('%25', '%');
  // Node compiles a large expression for its first check, which a start with any other address can do without.
  if (defaultPort !== undefined && /:.*:/.test(bare) && isIPv6(bare)) return { host: bare, port: defaultPort };
  const match = /^(?:\[([^[\]]+)\]|([^:[\]/?#\s]+))(?::(\d{1,5}))?$/.exec(text);
  const ipv6 = match?.[1]?.replace('%25', '%');
  const host = ipv6 ?? match?.[2];
  const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
  if (host === undefined || port === undefined || port > 65_535) return undefined;
  if (ipv6 !== undefined && !isIPv6(ipv6)) return undefined;
  return { host, port };
}

/**
 * `text` before and after its first `?`: address and query. Later question marks belong to the query (RFC 3986, 3.4).
 * The query is empty where there is none.
 */
export function addressAndQuery(text: string): readonly [address: string, query: string] {
  const mark = text.indexOf('?');
  return mark < 0 ? [text, ''] : [text.slice(0, mark), text.slice(mark + 1)];
}
