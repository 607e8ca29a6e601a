import type { MediaType } from '../codec/codec.ts';
import { type CodecName, codecByName } from '../codec/codecs.ts';
import type { ReceiverMessage, WelcomeMessage } from './control-message.ts';
import { type AnnouncedStream, isDescribed, type MediaStream, VIDEO_STREAM_ID } from './media-stream.ts';

/**
 * A `welcome` whose single-stream fields describe the accepted video stream, or the sound where there is nothing else, that
 * stream's codec, and the sound beside it.
 */
export type AcceptedWelcome = WelcomeMessage & {
  readonly codec: CodecName;
  /** RTP timestamp ticks per second; that of the codec by default. */
  readonly clockRate?: number;
  /** `undefined` without sound. */
  readonly sound?: MediaStream;
};

export interface StreamRefusal {
  readonly id: number;
  readonly reason: string;
}

/** Receiver's answer to a list of streams. */
export interface StreamChoice {
  /** `undefined` when no video stream can be received, nor sound that is sent alone. */
  readonly accepted: AcceptedWelcome | undefined;
  readonly refused: readonly StreamRefusal[];
}

/**
 * Accepts the first video stream and the first sound stream that this program can decode, and refuses every other one
 * with a reason.
 * @param wants.sound false to refuse sound as well.
 */
export function chooseStreams(
  welcome: WelcomeMessage,
  { sound: wantsSound = true }: { readonly sound?: boolean | undefined } = {},
): StreamChoice {
  if (welcome.streams === undefined) return chooseSingle(welcome);
  const chosen: Partial<Record<MediaType, MediaStream>> = {};
  const refused: StreamRefusal[] = [];
  for (const stream of welcome.streams) {
    const reason = obstacle(stream);
    const mediaType = stream.mediaType as MediaType;
    if (reason !== undefined) refused.push({ id: stream.id, reason });
    else if (mediaType === 'audio' && !wantsSound) refused.push({ id: stream.id, reason: 'sound is not wanted' });
    else if (chosen[mediaType]) refused.push({ id: stream.id, reason: `only one ${mediaType} stream is supported` });
    else chosen[mediaType] = stream as MediaStream;
  }
  const { video, audio } = chosen;
  if (video) return { accepted: { ...withStream(welcome, video), ...(audio && { sound: audio }) }, refused };
  const isSoundAlone = welcome.streams.every(({ mediaType }) => mediaType === 'audio');
  return { accepted: isSoundAlone && audio ? withStream(welcome, audio) : undefined, refused };
}

/** Returns the messages that tell the sender about a choice, and from where reports on each stream come. */
export function choiceMessages({ accepted, refused }: StreamChoice, reportSsrc: number | undefined): ReceiverMessage[] {
  const messages: ReceiverMessage[] = refused.map((refusal) => ({ kind: 'refuse-stream', ...refusal }));
  if (reportSsrc === undefined) return messages;
  messages.push({ kind: 'report-source', ssrc: reportSsrc });
  const id = accepted?.sound?.id;
  if (id !== undefined) messages.push({ kind: 'report-source', ssrc: soundReportSsrc(reportSsrc), id });
  return messages;
}

/** SSRC of the reports on the sound of a receiver whose reports on the video have this one. */
export const soundReportSsrc = (reportSsrc: number): number => (reportSsrc ^ 1) >>> 0;

/** A 1.0 sender lists no streams: its only one is H.264. */
function chooseSingle(welcome: WelcomeMessage): StreamChoice {
  const { codec } = welcome.media;
  if (/^avc1\.[0-9a-fA-F]{6}$/.test(codec)) return { accepted: { ...welcome, codec: 'h264' }, refused: [] };
  return {
    accepted: undefined,
    refused: [{ id: VIDEO_STREAM_ID, reason: `codec ${codec} is not supported` }],
  };
}

function obstacle(stream: AnnouncedStream): string | undefined {
  const codec = codecByName(stream.codec);
  if (codec === undefined) return `${stream.mediaType} codec ${stream.codec} is not supported`;
  if (!isDescribed(stream)) return `the ${stream.codec} description is not supported`;
  if (stream.mediaType !== codec.mediaType) return `${stream.codec} does not carry ${stream.mediaType}`;
  if (stream.clockRate !== codec.clockRate && !codec.clockRateVaries) {
    return `${stream.codec} requires a clock rate of ${codec.clockRate}`;
  }
  return undefined;
}

function withStream(welcome: WelcomeMessage, stream: MediaStream): AcceptedWelcome {
  const { repairSsrc: _, repairPayloadType: __, initialSequence: ___, ...session } = welcome;
  const { codec, clockRate, decoder, ssrc, payloadType, retransmission, repair, initialSequence, timestampBase } =
    stream;
  return {
    ...session,
    codec,
    clockRate,
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
