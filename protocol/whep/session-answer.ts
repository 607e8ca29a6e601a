import { feedbackLines } from '../sdp-feedback.ts';
import type { SentStreamParameters } from '../stream-parameters.ts';
import type { ChosenFormat } from './format-choice.ts';
import type { OfferedMedia, SessionOffer } from './session-offer.ts';

/** Stream that answers a medium of an offer. */
export interface AnsweredStream {
  /** Index of the medium in the offer. */
  readonly media: number;
  readonly format: ChosenFormat;
  readonly parameters: SentStreamParameters;
}

/** Address at which the ICE agent of a sender is reached. */
export interface HostCandidate {
  readonly address: string;
  readonly port: number;
}

/** Transport of a sender: its ICE agent and its certificate. */
export interface AnsweredTransport {
  readonly iceUfrag: string;
  readonly icePwd: string;
  /** SHA-256, 32 bytes in hexadecimal, separated by colons. */
  readonly fingerprint: string;
  readonly setup: 'active' | 'passive';
  readonly candidates: readonly HostCandidate[];
}

/** Preference of host candidates (RFC 8445 §5.1.2.2). */
const HOST_PREFERENCE = 126;
const DIRECTION = 'a=sendonly';

/**
 * Returns the offer without everything that a sender does not need, in lines that this program has written: an ICE agent
 * reads nothing of a stranger's. Media are numbered from 0 in the order of `streams`; there are no candidates, as the
 * agent is reached by the other one, and sends nowhere else.
 */
export function plainOffer({ iceUfrag, icePwd, fingerprint, setup }: SessionOffer, streams: readonly AnsweredStream[]) {
  const mids = streams.map((_, index) => `${index}`);
  const lines = [
    ...['v=0', 'o=- 0 0 IN IP4 0.0.0.0', 's=-', 't=0 0', `a=group:BUNDLE ${mids.join(' ')}`],
    ...[`a=ice-ufrag:${iceUfrag}`, `a=ice-pwd:${icePwd}`, `a=fingerprint:sha-256 ${fingerprint}`],
    `a=setup:${setup}`,
  ];
  streams.forEach(({ format: { payloadType }, parameters: { codec } }, index) => {
    lines.push(
      ...[`m=${codec.mediaType} 9 UDP/TLS/RTP/SAVPF ${payloadType}`, 'c=IN IP4 0.0.0.0', `a=mid:${index}`],
      ...['a=recvonly', 'a=rtcp-mux', `a=rtpmap:${payloadType} ${encodingOf(codec)}`],
    );
  });
  return `${lines.join('\r\n')}\r\n`;
}

const encodingOf = ({ session, clockRate, mediaType }: SentStreamParameters['codec']): string =>
  `${session!.encodingName}/${clockRate}${mediaType === 'audio' ? '/2' : ''}`;

/** Answers an offer with streams that are only sent (RFC 8829 §5.3). Media without a stream are rejected. */
export function writeSessionAnswer(
  { media }: SessionOffer,
  streams: readonly AnsweredStream[],
  { transport, cname, version }: { readonly transport: AnsweredTransport; cname: string; version: number },
): string {
  const mids = streams.map((stream) => media[stream.media]!.mid);
  const lines = [
    ...['v=0', `o=- ${version} 1 IN IP4 0.0.0.0`, 's=-', 't=0 0'],
    ...[`a=group:BUNDLE ${mids.join(' ')}`, 'a=msid-semantic: WMS *'],
  ];
  media.forEach((each, index) => {
    const stream = streams.find((own) => own.media === index);
    if (stream) lines.push(...streamLines(each, stream, transport, cname));
    else
      lines.push(
        `m=${each.kind} 0 ${each.protocol} ${each.formatList}`,
        'c=IN IP4 0.0.0.0',
        `a=mid:${each.mid}`,
        'a=inactive',
      );
  });
  return `${lines.join('\r\n')}\r\n`;
}

function streamLines(
  { mid, kind, protocol }: OfferedMedia,
  { format, parameters }: AnsweredStream,
  transport: AnsweredTransport,
  cname: string,
): string[] {
  const { codec, clockRate, ssrc, retransmission } = parameters;
  const { payloadType, feedback } = format;
  const types = [payloadType, ...(retransmission ? [retransmission.payloadType] : [])].join(' ');
  const sources = [ssrc, ...(retransmission ? [retransmission.ssrc] : [])];
  // Pictures and sound of one stream name (the first word) are played in step.
  const identity = `${cname} ${cname}-${kind}`;
  return [
    ...[`m=${kind} 9 ${protocol} ${types}`, 'c=IN IP4 0.0.0.0', `a=mid:${mid}`, DIRECTION, 'a=rtcp-mux'],
    ...[`a=ice-ufrag:${transport.iceUfrag}`, `a=ice-pwd:${transport.icePwd}`],
    ...[`a=fingerprint:sha-256 ${transport.fingerprint}`, `a=setup:${transport.setup}`],
    `a=rtpmap:${payloadType} ${encodingOf(codec)}`,
    ...(format.parameters.length > 0 ? [`a=fmtp:${payloadType} ${format.parameters.join(';')}`] : []),
    ...feedbackLines({ payloadType, clockRate, ssrc, feedback, retransmission }),
    `a=msid:${identity}`,
    ...sources.flatMap((source) => [`a=ssrc:${source} cname:${cname}`, `a=ssrc:${source} msid:${identity}`]),
    ...transport.candidates.map((candidate, index) => candidateLine(candidate, index)),
    'a=end-of-candidates',
  ];
}

function candidateLine({ address, port }: HostCandidate, index: number): string {
  const priority = HOST_PREFERENCE * 2 ** 24 + (65_535 - index) * 2 ** 8 + 255;
  return `a=candidate:${index + 1} 1 udp ${priority} ${address} ${port} typ host`;
}
