import { type CodecName, codecByName } from '../codec/codecs.ts';
import type { WelcomeMessage } from './control-message.ts';
import { type AnnouncedStream, isDescribed, type MediaStream } from './media-stream.ts';

/** A `welcome` whose single-stream fields describe the accepted stream, and that stream's codec. */
export type AcceptedWelcome = WelcomeMessage & { readonly codec: CodecName };

export interface StreamRefusal {
  readonly id: number;
  readonly reason: string;
}

/** Receiver's answer to a list of streams. */
export interface StreamChoice {
  /** `undefined` when no stream can be received. */
  readonly accepted: AcceptedWelcome | undefined;
  readonly refused: readonly StreamRefusal[];
}

/** Accepts the first video stream that this program can decode, and refuses every other one with a reason. */
export function chooseStream(welcome: WelcomeMessage): StreamChoice {
  if (welcome.streams === undefined) return chooseSingle(welcome);
  let accepted: AcceptedWelcome | undefined;
  const refused: StreamRefusal[] = [];
  for (const stream of welcome.streams) {
    const reason = obstacle(stream);
    if (reason !== undefined) refused.push({ id: stream.id, reason });
    else if (accepted) refused.push({ id: stream.id, reason: 'only one video stream is supported' });
    else accepted = withStream(welcome, stream as MediaStream);
  }
  return { accepted, refused };
}

/** A 1.0 sender lists no streams: its only one is H.264. */
function chooseSingle(welcome: WelcomeMessage): StreamChoice {
  const { codec } = welcome.media;
  if (/^avc1\.[0-9a-fA-F]{6}$/.test(codec)) return { accepted: { ...welcome, codec: 'h264' }, refused: [] };
  return { accepted: undefined, refused: [{ id: 0, reason: `codec ${codec} is not supported` }] };
}

function obstacle(stream: AnnouncedStream): string | undefined {
  const codec = codecByName(stream.codec);
  if (codec === undefined) return `${stream.mediaType} codec ${stream.codec} is not supported`;
  if (!isDescribed(stream)) return `the ${stream.codec} description is not supported`;
  if (stream.mediaType !== codec.mediaType) return `${stream.codec} does not carry ${stream.mediaType}`;
  if (stream.mediaType !== 'video') return `${stream.mediaType} is not supported`;
  if (stream.clockRate !== codec.clockRate) return `${stream.codec} requires a clock rate of ${codec.clockRate}`;
  return undefined;
}

function withStream(welcome: WelcomeMessage, stream: MediaStream): AcceptedWelcome {
  const { repairSsrc: _, repairPayloadType: __, initialSequence: ___, ...session } = welcome;
  const { codec, decoder, ssrc, payloadType, retransmission, repair, initialSequence, timestampBase } = stream;
  return {
    ...session,
    codec,
    media: { ...welcome.media, codec: decoder },
    ssrc,
    payloadType,
    retransmissionSsrc: retransmission.ssrc,
    retransmissionPayloadType: retransmission.payloadType,
    ...(repair && { repairSsrc: repair.ssrc, repairPayloadType: repair.payloadType }),
    ...(initialSequence !== undefined && { initialSequence }),
    timestampBase,
    parameterSets: stream.parameterSets,
  };
}
