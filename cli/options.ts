import { InvalidArgumentError } from 'commander';
import { addressAndQuery, type HostAndPort, parseHostAndPort } from '../io/net/host-and-port.ts';
import { readTraceFile } from '../io/trace-file.ts';
import type { PageListen } from '../io/web-server/network-entrance.ts';
import { LATENCY_MS_MAX, MEND_MS_MAX } from '../protocol/control/latency-limit.ts';
import { parseRistAddress } from '../session/rist/rist-address.ts';
import type { MulticastWishes } from '../session/rtp/multicast.ts';
import { RTP_PORT_MAX } from '../session/rtp/rtp-address.ts';
import { parseLinkSpecification } from '../sim/link/link-parse.ts';
import type { LinkSpecification } from '../sim/link/link-specification.ts';

/** Parsers of option values: each returns the value or throws a message that says what was expected. */

export function readLatency(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s)?$/.exec(text);
  const value = match ? Number(match[1]) * (match[2] === 's' ? 1_000 : 1) : Number.NaN;
  if (match && !match[2] && value > LATENCY_MS_MAX) {
    throw new InvalidArgumentError(`latency is in milliseconds, not microseconds: did you mean ${value / 1_000}?`);
  }
  if (!(value >= 0 && value <= LATENCY_MS_MAX)) {
    throw new InvalidArgumentError(`expected milliseconds from 0 to ${LATENCY_MS_MAX}, such as 120 or 120ms`);
  }
  return Math.round(value);
}

/** `5s`, `500ms`, or seconds; 0 switches it off. */
export function readMend(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s)?$/.exec(text);
  const value = match ? Number(match[1]) * (match[2] === 'ms' ? 1 : 1_000) : Number.NaN;
  if (!(value >= 0 && value <= MEND_MS_MAX)) {
    throw new InvalidArgumentError(`expected seconds from 0 to ${MEND_MS_MAX / 1_000}, such as 5s or 500ms`);
  }
  return Math.round(value);
}

/** Megabytes for people, bytes inside. */
export function readMegabytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(?:MB)?$/i.exec(text);
  const value = match ? Number(match[1]) : Number.NaN;
  if (!(value >= 1 && value <= 16_384))
    throw new InvalidArgumentError('expected megabytes from 1 to 16384, such as 128MB');
  return value * 1_000_000;
}

export function readBitrate(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([kmg]?)(?:bit|bps)?(?:\/s)?$/i.exec(text);
  const factor = { '': 1, k: 1e3, m: 1e6, g: 1e9 }[match?.[2]?.toLowerCase() ?? ''] ?? 1;
  const value = match ? Number(match[1]) * factor : Number.NaN;
  if (!(value >= 10_000 && value <= 1e9))
    throw new InvalidArgumentError('expected bits per second from 10k to 1G, such as 2M or 800k');
  return value;
}

/** Parses a share written as `25%` or `0.25`. */
export function readShare(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(text);
  const value = match ? Number(match[1]) / (match[2] ? 100 : 1) : Number.NaN;
  if (!(value >= 0 && value <= 1)) throw new InvalidArgumentError('expected a share from 0% to 100%, such as 25%');
  return value;
}

export const readWhole =
  (range: { readonly min: number; readonly max: number }, unit: string) =>
  (text: string): number => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= range.min && value <= range.max)) {
      throw new InvalidArgumentError(`expected ${unit} from ${range.min} to ${range.max}`);
    }
    return value;
  };

export function readFramesPerSecond(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(?:\/(\d+))?$/.exec(text);
  const value = match ? Number(match[1]) / Number(match[2] ?? 1) : Number.NaN;
  if (!(value >= 1 && value <= 1_000)) {
    throw new InvalidArgumentError('expected frames per second from 1 to 1000, such as 25 or 30000/1001');
  }
  return value;
}

/** Parses the name of a congestion control; the kernel decides whether it exists. */
export function readCongestionControl(text: string): string {
  if (!/^[a-z0-9_]{1,15}$/.test(text)) throw new InvalidArgumentError('expected a name, such as reno, cubic or bbr');
  return text;
}

/** Place in a film at most, seconds: four weeks. */
const PLACE_SECONDS_MAX = 2_419_200;

/** Parses a time in seconds; returns milliseconds. */
export function readSeconds(text: string): number {
  const match = /^(\d+(?:\.\d+)?)s?$/.exec(text);
  const value = match ? Number(match[1]) : Number.NaN;
  if (!(value > 0 && value <= 86_400)) throw new InvalidArgumentError('expected seconds above 0 and up to 86400');
  return value * 1_000;
}

/** Parses a place in a film: `90`, `90.5s`, `1:30`, `1:02:03.5`; returns seconds. */
export function readPlace(text: string): number {
  const match = /^(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d+)?)s?$/.exec(text);
  const [hours = 0, minutes = 0, seconds = Number.NaN] = match?.slice(1).map((part) => Number(part ?? 0)) ?? [];
  const isClock = match?.[2] !== undefined;
  const isRight = !isClock || (seconds < 60 && (match[1] === undefined || minutes < 60));
  const value = hours * 3_600 + minutes * 60 + seconds;
  if (isRight && value <= PLACE_SECONDS_MAX) return value;
  throw new InvalidArgumentError('expected seconds, M:SS or H:MM:SS, such as 90, 1:30 or 0:01:30.5');
}

/** Parses an address and a port: `127.0.0.1:7000`, `[::1]:7000`, `localhost:7000`. */
export function readAddress(text: string): HostAndPort {
  const address = parseHostAndPort(text);
  if (address !== undefined) return address;
  throw new InvalidArgumentError('expected an address and a port, such as 127.0.0.1:7000 or [::1]:7000');
}

/** Parses `HOST:PORT`, or `PORT` alone for loopback. */
export const readLocalAddress = (text: string): HostAndPort =>
  readAddress(/^\d{1,5}$/.test(text) ? `127.0.0.1:${text}` : text);

/** Parses `HOST:PORT`, or `HOST` for the usual port. */
export function readPageListen(text: string): PageListen {
  const place = /^\d+$/.test(text) ? undefined : parseHostAndPort(text, 0);
  if (place) return { host: place.host, port: parseHostAndPort(text)?.port };
  throw new InvalidArgumentError('expected an address of this computer, such as 0.0.0.0 or 192.168.1.7:7081');
}

export function readLink(text: string): LinkSpecification {
  const link = parseLinkSpecification(text, (name) => readTraceFile(name));
  if (!link.ok) throw new InvalidArgumentError(link.malformed);
  return link.value;
}

/** Port of a sender when none is named. */
export const PORT_DEFAULT = 7_000;

/** Parses `scheme://host:port?option=value&…`. */
export function readTarget(
  text: string,
  scheme: 'dropframe' | 'rtp' | 'udp' | 'rtp+ts',
): HostAndPort & { readonly query: URLSearchParams } {
  const prefix = `${scheme}://`;
  if (!text.startsWith(prefix)) throw new InvalidArgumentError(`expected ${prefix}HOST:PORT`);
  const [authority, query] = addressAndQuery(text.slice(prefix.length));
  const place = authority.replace(/\/$/, '');
  const address = (scheme === 'dropframe' ? parseHostAndPort(place, PORT_DEFAULT) : undefined) ?? readAddress(place);
  if (address.port === 0) throw new InvalidArgumentError('port 0 is not a destination');
  return { ...address, query: new URLSearchParams(query) };
}

/** Form in which a stream is sent to players and other programs: RTP, or MPEG-TS over UDP, RTP or RIST. */
export const PLAIN_SCHEMES = ['rtp', 'udp', 'rtp+ts', 'rist'] as const;

/** Destination of a stream without a control channel. */
export interface PlainTarget extends HostAndPort {
  readonly scheme: (typeof PLAIN_SCHEMES)[number];
  /** Constant bit rate of MPEG-TS, bits per second; `undefined`: that of the source. */
  readonly rate?: number | undefined;
  /** For a multicast group. */
  readonly multicast?: MulticastWishes | undefined;
}

/** Parses `rtp://HOST:PORT`, `udp://HOST:PORT`, `rtp+ts://HOST:PORT` and `rist://HOST:PORT`. RTCP uses the next port of RTP. */
export function readPlainTarget(text: string): PlainTarget {
  const scheme = PLAIN_SCHEMES.find((one) => text.startsWith(`${one}://`));
  if (!scheme) {
    throw new InvalidArgumentError(`expected ${PLAIN_SCHEMES.map((one) => `${one}://HOST:PORT`).join(', ')}`);
  }
  if (scheme === 'rist') {
    const place = parseRistAddress(text, 'send');
    if (typeof place === 'string') throw new InvalidArgumentError(place);
    return { scheme, host: place.host, port: place.port };
  }
  const { host, port, query } = readTarget(text, scheme);
  if (scheme === 'rtp' && port > RTP_PORT_MAX)
    throw new InvalidArgumentError(`the port must be at most ${RTP_PORT_MAX}: RTCP uses the next one`);
  if (scheme === 'rtp' && query.size > 0) {
    throw new InvalidArgumentError('options in the URL are not supported here; use the command line');
  }
  return { scheme, host, port, ...readTransportOptions(query) };
}

/** Parses the options of an MPEG-TS URL, by the names of other programs: `bitrate`, `ttl`, `interface`. */
function readTransportOptions(query: URLSearchParams): Pick<PlainTarget, 'rate' | 'multicast'> {
  for (const name of query.keys()) {
    if (!['bitrate', 'ttl', 'interface'].includes(name)) {
      throw new InvalidArgumentError(`unknown option '${name}' in the URL: expected bitrate, ttl or interface`);
    }
  }
  const [bitrate, ttl, wanted] = [query.get('bitrate'), query.get('ttl'), query.get('interface')];
  return {
    ...(bitrate !== null && { rate: readBitrate(bitrate) }),
    ...((ttl ?? wanted) !== null && {
      multicast: {
        ...(ttl !== null && { hops: readWhole({ min: 1, max: 255 }, 'ttl')(ttl) }),
        ...(wanted && { interface: wanted }),
      },
    }),
  };
}

/** Parses a sound track: a number from 1, or a language code. */
export function readAudioTrack(text: string): number | string {
  if (/^\d+$/.test(text) && Number(text) >= 1) return Number(text);
  if (/^[a-z]{2,3}$/i.test(text)) return text.toLowerCase();
  throw new InvalidArgumentError('expected a number from 1, or a language such as eng');
}
