import { assert } from './base/assert.ts';
import { malformed, type Parsed, parsed } from './base/parsed.ts';
import { base64Bytes, base64Text, hexText } from './base/text-codec.ts';

/** One H.264 RTP stream, for a session description (RFC 8866, RFC 6184 §8.2). */
export interface SessionDescriptionOptions {
  /** Destination of the stream: an IPv4 or IPv6 address. */
  readonly host: string;
  /** 1…65535. */
  readonly port: number;
  /** 96…127. */
  readonly payloadType: number;
  /** Ticks a second. */
  readonly clockRate: number;
  /** SPS and PPS. Without them, a player must wait for those in the stream. */
  readonly parameterSets: readonly Uint8Array[];
  /** Session name. */
  readonly name: string;
  /** Header extensions in use, id to URN (RFC 8285 §5). */
  readonly extensions?: ReadonlyMap<number, string>;
  /** True when RTP and RTCP share a port (RFC 5761 §5.1.1); players without support ignore the attribute. */
  readonly multiplexed?: boolean;
}

/** Stream properties needed by a player. */
export interface SessionDescription {
  /** Address or host name, as written. */
  readonly host: string;
  readonly port: number;
  readonly payloadType: number;
  /** Ticks a second. */
  readonly clockRate: number;
  /** `sprop-parameter-sets`; empty when there are none. */
  readonly parameterSets: readonly Uint8Array[];
}

const NAL_TYPE_SPS = 7;

/** Returns the text of an `.sdp` file. */
export function writeSessionDescription(options: SessionDescriptionOptions): string {
  const { host, port, payloadType, clockRate, parameterSets } = options;
  assert(!/\s/.test(host), 'a host has no white space');
  const address = `IN ${host.includes(':') ? 'IP6' : 'IP4'} ${host}`;
  const lines = [
    'v=0',
    `o=- 0 0 ${address}`,
    // RFC 8866 §5.3: not empty, one line.
    `s=${options.name.replace(/\p{Cc}+/gu, ' ').trim() || '-'}`,
    `c=${address}`,
    't=0 0',
    `m=video ${port} RTP/AVP ${payloadType}`,
    `a=rtpmap:${payloadType} H264/${clockRate}`,
    `a=fmtp:${payloadType} ${formatParameters(parameterSets)}`,
  ];
  for (const [id, urn] of options.extensions ?? []) lines.push(`a=extmap:${id} ${urn}`);
  if (options.multiplexed === true) lines.push('a=rtcp-mux');
  return `${lines.join('\r\n')}\r\n`;
}

function formatParameters(parameterSets: readonly Uint8Array[]): string {
  const parameters = ['packetization-mode=1'];
  const sequence = parameterSets.find((set) => (set[0]! & 0x1f) === NAL_TYPE_SPS && set.length >= 4);
  // profile_idc, constraint flags and level_idc are the three bytes after the NAL unit header.
  if (sequence !== undefined) parameters.push(`profile-level-id=${hexText(sequence.subarray(1, 4))}`);
  if (parameterSets.length > 0) parameters.push(`sprop-parameter-sets=${parameterSets.map(base64Text).join(',')}`);
  return parameters.join(';');
}

const CHARACTERS_MAX = 65_536;
const PARAMETER_SETS_MAX = 64;

/** Returns the first H.264 stream of a session description. Accepts the dialects of ffmpeg, GStreamer and cameras. */
export function parseSessionDescription(text: string): Parsed<SessionDescription> {
  if (text.length > CHARACTERS_MAX) return malformed('sdp-too-long');
  const lines = text.split(/\r\n|\r|\n/).map((line) => line.trim());
  // ffmpeg prints "SDP:" before the description.
  const start = lines.indexOf('v=0');
  if (start === -1) return malformed('not-sdp');
  const sections = splitSections(lines.slice(start));
  const session = sections[0]!;
  let cause = 'sdp-no-h264-stream';
  for (const section of sections.slice(1)) {
    const media = /^m=video (\d+)(?:\/\d+)? [\w/]+((?: \d+)+)$/.exec(section[0]!);
    if (media === null) continue;
    const format = h264Format(section, media[2]!.trim().split(' '));
    if (format === undefined) continue;
    const host = connectionHost(section) ?? connectionHost(session);
    const port = Number(media[1]);
    const parameterSets = spropParameterSets(section, format.payloadType);
    if (host === undefined) cause = 'sdp-no-address';
    else if (port < 1 || port > 65_535) cause = 'sdp-port';
    else if (parameterSets === undefined) cause = 'sdp-parameter-sets';
    else return parsed({ host, port, ...format, parameterSets });
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

function h264Format(
  section: readonly string[],
  payloadTypes: readonly string[],
): { payloadType: number; clockRate: number } | undefined {
  for (const line of section) {
    const map = /^a=rtpmap:(\d{1,3}) H264\/(\d{1,9})$/i.exec(line);
    if (map === null || !payloadTypes.includes(map[1]!)) continue;
    const payloadType = Number(map[1]);
    const clockRate = Number(map[2]);
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

/** Returns `undefined` when the attribute is present but invalid. */
function spropParameterSets(section: readonly string[], payloadType: number): Uint8Array[] | undefined {
  const prefix = `a=fmtp:${payloadType} `;
  const parameters = section
    .filter((line) => line.startsWith(prefix))
    .flatMap((line) => line.slice(prefix.length).split(';'));
  const sets: Uint8Array[] = [];
  for (const parameter of parameters) {
    const equals = parameter.indexOf('=');
    if (equals === -1 || parameter.slice(0, equals).trim().toLowerCase() !== 'sprop-parameter-sets') continue;
    const value = parameter
      .slice(equals + 1)
      .trim()
      .replace(/^"|"$/g, '');
    for (const part of value.split(',')) {
      // ffmpeg ends the list with a comma when there is an SPS and no PPS.
      if (part === '') continue;
      const set = base64Bytes(part.trim());
      if (set === undefined || set.length === 0 || sets.length === PARAMETER_SETS_MAX) return undefined;
      sets.push(set);
    }
  }
  return sets;
}
