import { assert } from './base/assert.ts';
import { malformed, type Parsed, parsed } from './base/parsed.ts';
import type { Codec, SessionFormat } from './codec/codec.ts';
import { DEFAULT_CODEC } from './codec/codecs.ts';
import {
  type DescribedRetransmission,
  feedbackIn,
  feedbackLines,
  retransmissionIn,
  type StreamFeedback,
} from './sdp-feedback.ts';
import type { CompanionStream } from './stream-parameters.ts';

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
  /** SSRC of the stream, 32 bits; needed to name that of its retransmissions. */
  readonly ssrc?: number | undefined;
  /** Feedback that the sender accepts; with any, the profile is AVPF (RFC 4585 §4). None by default. */
  readonly feedback?: StreamFeedback | undefined;
  /** Stream of the retransmissions; `undefined` when there are none. */
  readonly retransmission?: DescribedRetransmission | undefined;
  /** Stream of the repair packets; `undefined` when there are none. */
  readonly repair?: Pick<CompanionStream, 'payloadType'> | undefined;
  /** Time for which packets are kept for retransmission, milliseconds. */
  readonly keptMs?: number | undefined;
}

/** RTP streams with their destination, for a session description. */
export interface SessionDescriptionOptions extends DescribedMedia {
  /** Destination of the streams: an IPv4 or IPv6 address. */
  readonly host: string;
  /** Session name. */
  readonly name: string;
  /** The other streams, such as the sound beside the pictures. */
  readonly others?: readonly DescribedMedia[];
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
  /** Port of RTCP: `a=rtcp` (RFC 3605), or that of the media with `a=rtcp-mux`; otherwise the next one. */
  readonly rtcpPort: number;
  /** Feedback that the sender accepts. */
  readonly feedback: StreamFeedback;
  /** Stream of the retransmissions; `undefined` when the sender has none. */
  readonly retransmission?: DescribedRetransmission | undefined;
}

/** Encoding name of our repair packets (docs/PROTOCOL.md §13). */
const REPAIR_FORMAT = 'dropframe-repair';

/** Returns the text of an `.sdp` file. */
export function writeSessionDescription(options: SessionDescriptionOptions): string {
  const { host, name, others = [] } = options;
  assert(!/\s/.test(host), 'the host must not contain white space');
  const address = `IN ${host.includes(':') ? 'IP6' : 'IP4'} ${host}`;
  const session = ['v=0', `o=- 0 0 ${address}`, `s=${sessionName(name)}`, `c=${address}`, 't=0 0'];
  const media = [options, ...others].flatMap(mediaLines);
  return `${[...session, ...media].join('\r\n')}\r\n`;
}

/** Returns a session name (RFC 8866 §5.3): one line, not empty. */
export const sessionName = (name: string): string => name.replace(/\p{Cc}+/gu, ' ').trim() || '-';

/** Returns the lines that describe a stream, from its `m=` line on. */
export function mediaLines(media: DescribedMedia): string[] {
  const {
    port,
    payloadType,
    clockRate,
    parameterSets,
    codec = DEFAULT_CODEC,
    feedback,
    retransmission,
    repair,
  } = media;
  const { session } = codec;
  assert(session !== undefined, 'the codec must have a payload format for session descriptions');
  const channels = session.channels?.(parameterSets);
  const all = [payloadType, retransmission?.payloadType, repair?.payloadType];
  const payloadTypes = all.filter((type) => type !== undefined).join(' ');
  const lines = [
    `m=${codec.mediaType} ${port} RTP/${feedback ? 'AVPF' : 'AVP'} ${payloadTypes}`,
    `a=rtpmap:${payloadType} ${session.encodingName}/${clockRate}${channels === undefined ? '' : `/${channels}`}`,
  ];
  const parameters = session.formatParameters(parameterSets);
  if (parameters.length > 0) lines.push(`a=fmtp:${payloadType} ${parameters.join(';')}`);
  if (feedback) lines.push(...feedbackLines({ ...media, feedback }));
  if (repair) lines.push(`a=rtpmap:${repair.payloadType} ${REPAIR_FORMAT}/${clockRate}`);
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
    const media = /^m=(\w+) (\d+)(?:\/\d+)? ([\w/]+)((?: \d+)+)$/.exec(section[0]!);
    if (media === null || media[1] !== mediaType) continue;
    const payloadTypes = media[4]!.trim().split(' ');
    const map = rtpMap(section, payloadTypes, format);
    if (map === undefined) continue;
    const host = connectionHost(section) ?? connectionHost(session);
    const port = Number(media[2]);
    const parameterSets = format.parameterSetsIn(formatParameters(section, map.payloadType));
    if (host === undefined) cause = 'sdp-no-address';
    else if (port < 1 || port > 65_535) cause = 'sdp-port';
    else if (/SAVP/i.test(media[3]!)) cause = 'sdp-encrypted';
    else if (parameterSets === undefined) cause = 'sdp-parameter-sets';
    else {
      const retransmission = retransmissionIn(section, payloadTypes, map.payloadType);
      return parsed({
        host,
        port,
        ...map,
        parameterSets,
        rtcpPort: rtcpPortOf(section, port),
        feedback: feedbackIn(section, map.payloadType),
        ...(retransmission && { retransmission }),
      });
    }
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

/** Port of RTCP: shared (RFC 5761 §5.1.1), given (RFC 3605), or the next one (RFC 3550 §11). */
function rtcpPortOf(section: readonly string[], port: number): number {
  if (section.includes('a=rtcp-mux')) return port;
  for (const line of section) {
    const given = Number(/^a=rtcp:(\d{1,5})(?: IN IP[46] \S+)?$/.exec(line)?.[1] ?? 0);
    if (given > 0 && given <= 65_535) return given;
  }
  return port + 1;
}

/** Returns the parameters of `a=fmtp` for this payload type, as `name=value`. */
function formatParameters(section: readonly string[], payloadType: number): string[] {
  const prefix = `a=fmtp:${payloadType} `;
  return section.filter((line) => line.startsWith(prefix)).flatMap((line) => line.slice(prefix.length).split(';'));
}
