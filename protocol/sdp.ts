import { assert } from './base/assert.ts';
import { malformed, type Parsed, parsed } from './base/parsed.ts';
import type { Codec, SessionFormat } from './codec/codec.ts';
import { DEFAULT_CODEC } from './codec/codecs.ts';

/** One RTP stream in a session description (RFC 8866). */
export interface DescribedMedia {
  /** 1…65535; 0 where the port is agreed otherwise, as in RTSP. */
  readonly port: number;
  /** 96…127. */
  readonly payloadType: number;
  /** Ticks a second. */
  readonly clockRate: number;
  /** Codec of the stream; H.264 by default. */
  readonly codec?: Codec;
  /** Without parameter sets, a player must wait for those in the stream. */
  readonly parameterSets: readonly Uint8Array[];
  /** Header extensions in use, id to URN (RFC 8285 §5). */
  readonly extensions?: ReadonlyMap<number, string>;
  /** True when RTP and RTCP share a port (RFC 5761 §5.1.1); players without support ignore the attribute. */
  readonly multiplexed?: boolean;
}

/** One RTP stream with its destination, for a session description. */
export interface SessionDescriptionOptions extends DescribedMedia {
  /** Destination of the stream: an IPv4 or IPv6 address. */
  readonly host: string;
  /** Session name. */
  readonly name: string;
}

/** Stream properties needed by a player. */
export interface SessionDescription {
  /** Address or host name, as written. */
  readonly host: string;
  readonly port: number;
  readonly payloadType: number;
  /** Ticks a second. */
  readonly clockRate: number;
  /** Empty when there are none. */
  readonly parameterSets: readonly Uint8Array[];
}

/** Returns the text of an `.sdp` file. */
export function writeSessionDescription(options: SessionDescriptionOptions): string {
  const { host, name } = options;
  assert(!/\s/.test(host), 'the host must not contain white space');
  const address = `IN ${host.includes(':') ? 'IP6' : 'IP4'} ${host}`;
  const session = ['v=0', `o=- 0 0 ${address}`, `s=${sessionName(name)}`, `c=${address}`, 't=0 0'];
  return `${[...session, ...mediaLines(options)].join('\r\n')}\r\n`;
}

/** Returns a session name (RFC 8866 §5.3): one line, not empty. */
export const sessionName = (name: string): string => name.replace(/\p{Cc}+/gu, ' ').trim() || '-';

/** Returns the lines that describe a stream, from its `m=` line on. */
export function mediaLines(media: DescribedMedia): string[] {
  const { port, payloadType, clockRate, parameterSets, codec = DEFAULT_CODEC } = media;
  const { session } = codec;
  assert(session !== undefined, 'the codec must have a payload format for session descriptions');
  const channels = session.channels?.(parameterSets);
  const lines = [
    `m=${codec.mediaType} ${port} RTP/AVP ${payloadType}`,
    `a=rtpmap:${payloadType} ${session.encodingName}/${clockRate}${channels === undefined ? '' : `/${channels}`}`,
  ];
  const parameters = session.formatParameters(parameterSets);
  if (parameters.length > 0) lines.push(`a=fmtp:${payloadType} ${parameters.join(';')}`);
  for (const [id, urn] of media.extensions ?? []) lines.push(`a=extmap:${id} ${urn}`);
  if (media.multiplexed === true) lines.push('a=rtcp-mux');
  return lines;
}

const CHARACTERS_MAX = 65_536;

/**
 * Returns the first stream of this codec in a session description, H.264 by default. Accepts the dialects of ffmpeg,
 * GStreamer and cameras.
 */
export function parseSessionDescription(text: string, codec: Codec = DEFAULT_CODEC): Parsed<SessionDescription> {
  const { name, mediaType, session: format } = codec;
  assert(format !== undefined, 'the codec must have a payload format for session descriptions');
  if (text.length > CHARACTERS_MAX) return malformed('sdp-too-long');
  const lines = text.split(/\r\n|\r|\n/).map((line) => line.trim());
  // ffmpeg prints "SDP:" before the description.
  const start = lines.indexOf('v=0');
  if (start === -1) return malformed('not-sdp');
  const sections = splitSections(lines.slice(start));
  const session = sections[0]!;
  let cause = `sdp-no-${name}-stream`;
  for (const section of sections.slice(1)) {
    const media = /^m=(\w+) (\d+)(?:\/\d+)? [\w/]+((?: \d+)+)$/.exec(section[0]!);
    if (media === null || media[1] !== mediaType) continue;
    const map = rtpMap(section, media[3]!.trim().split(' '), format);
    if (map === undefined) continue;
    const host = connectionHost(section) ?? connectionHost(session);
    const port = Number(media[2]);
    const parameterSets = format.parameterSetsIn(formatParameters(section, map.payloadType));
    if (host === undefined) cause = 'sdp-no-address';
    else if (port < 1 || port > 65_535) cause = 'sdp-port';
    else if (parameterSets === undefined) cause = 'sdp-parameter-sets';
    else return parsed({ host, port, ...map, parameterSets });
  }
  return malformed(cause);
}

/** Splits into the session section before the first `m=` and one section per medium. */
function splitSections(lines: readonly string[]): string[][] {
  const sections: string[][] = [[]];
  for (const line of lines) {
    if (line.startsWith('m=')) sections.push([]);
    sections[sections.length - 1]!.push(line);
  }
  return sections;
}

function rtpMap(
  section: readonly string[],
  payloadTypes: readonly string[],
  { encodingName }: SessionFormat,
): { payloadType: number; clockRate: number } | undefined {
  for (const line of section) {
    const map = /^a=rtpmap:(\d{1,3}) ([\w.-]+)\/(\d{1,9})(?:\/\d{1,3})?$/.exec(line);
    if (map === null || map[2]!.toLowerCase() !== encodingName.toLowerCase() || !payloadTypes.includes(map[1]!))
      continue;
    const payloadType = Number(map[1]);
    const clockRate = Number(map[3]);
    if (payloadType <= 127 && clockRate > 0) return { payloadType, clockRate };
  }
  return undefined;
}

function connectionHost(section: readonly string[]): string | undefined {
  for (const line of section) {
    // A multicast address may be followed by TTL and count (RFC 8866 §5.7).
    const connection = /^c=IN IP[46] ([^\s/]+)(?:\/[\d/]+)?$/.exec(line);
    if (connection !== null) return connection[1];
  }
  return undefined;
}

/** Returns the parameters of `a=fmtp` for this payload type, as `name=value`. */
function formatParameters(section: readonly string[], payloadType: number): string[] {
  const prefix = `a=fmtp:${payloadType} `;
  return section.filter((line) => line.startsWith(prefix)).flatMap((line) => line.slice(prefix.length).split(';'));
}
