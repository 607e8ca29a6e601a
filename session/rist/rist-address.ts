/** Place and buffer of a stream by RIST Simple Profile. */
export interface RistAddress {
  readonly host: string;
  /** Port of RTP, an even number; RTCP uses the next one. */
  readonly port: number;
  /** Time for retransmissions, milliseconds; `undefined`: not given. */
  readonly bufferMs: number | undefined;
}

const BUFFER_MS_MAX = 30_000;
const PORT_MAX = 65_534;

/**
 * Parses `rist://HOST:PORT` and, as librist has it for an address of this machine, `rist://@HOST:PORT` and
 * `rist://@:PORT`, with `?buffer=MS`.
 * @returns what is wrong, in one line.
 */
export function parseRistAddress(text: string, use: 'send' | 'receive'): RistAddress | string {
  const match = /^rist:\/\/(@?)(\[[0-9a-f:.]+\]|[^:/?@[\]]*):(\d{1,5})\/?(?:\?(.*))?$/i.exec(text);
  if (!match) return 'expected rist://HOST:PORT';
  const [, at, host = '', port, query = ''] = match;
  if (use === 'send' && at !== '') {
    return 'rist://@… waits for a receiver that connects, which the simple profile does not have: name its address';
  }
  if (host === '' && (use === 'send' || at === '')) return 'expected rist://HOST:PORT';
  if (Number(port) % 2 !== 0) return 'the port must be even: RTCP uses the next one (VSF TR-06-1)';
  if (Number(port) === 0 || Number(port) > PORT_MAX) return `the port must be from 2 to ${PORT_MAX}`;
  let bufferMs: number | undefined;
  for (const [name, value] of new URLSearchParams(query)) {
    if (name !== 'buffer' || use === 'send') return `'${name}' in the URL: ${NOT_SPOKEN}`;
    bufferMs = /^\d{1,5}$/.test(value) ? Number(value) : Number.NaN;
    if (!(bufferMs >= 1 && bufferMs <= BUFFER_MS_MAX)) return `buffer is in milliseconds, from 1 to ${BUFFER_MS_MAX}`;
  }
  return { host: host === '' ? '0.0.0.0' : host.replace(/^\[|\]$/g, ''), port: Number(port), bufferMs };
}

/** The supported part of RIST. */
const NOT_SPOKEN =
  'only the simple profile of RIST is spoken (librist: --profile 0), not the main and advanced profiles, encryption, or bonding';
