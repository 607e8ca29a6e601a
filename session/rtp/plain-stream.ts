import { type CodecName, codecByName } from '../../protocol/codec/codecs.ts';
import type { DescribedMedia } from '../../protocol/sdp.ts';
import { type SentStreamParameters, STREAM_DEFAULTS, streamParameters } from '../../protocol/stream-parameters.ts';
import { senderOptions } from '../../sender/sender-options.ts';
import { randomSequence, randomSsrc, randomTimestamp } from '../stream/identifiers.ts';

/** A stream for programs that know RTP and its session description, but not our control channel. */
export interface PlainStreamOptions {
  readonly codecName: CodecName;
  /** Ticks per second; the codec's by default. */
  readonly clockRate?: number | undefined;
  /** Payload type, 96 … 126; retransmissions have the next one. 96 by default. */
  readonly payloadType?: number;
  /** Largest UDP payload, bytes. */
  readonly datagramBytesMax: number;
}

/** Returns the parameters of a plain stream that answers requests for packets by retransmission (RFC 4588). */
export function plainStream(options: PlainStreamOptions): SentStreamParameters {
  const { codecName, payloadType = STREAM_DEFAULTS.payloadType, datagramBytesMax, clockRate } = options;
  return streamParameters({
    codec: codecByName(codecName),
    ...(clockRate !== undefined && { clockRate }),
    ssrc: randomSsrc(),
    payloadType,
    retransmission: { ssrc: randomSsrc(), payloadType: payloadType + 1 },
    initialSequence: randomSequence(),
    timestampBase: randomTimestamp(),
    datagramBytesMax,
    frameMarks: false,
    recovery: 'nack',
  });
}

/** Returns the stream's part of a session description, with the feedback that its sender answers. */
export function describePlainStream(
  parameters: SentStreamParameters,
  place: Pick<DescribedMedia, 'port' | 'parameterSets' | 'multiplexed'>,
): DescribedMedia {
  const { codec, payloadType, clockRate, ssrc, retransmission } = parameters;
  const isVideo = codec.mediaType === 'video';
  return {
    ...place,
    codec,
    payloadType,
    clockRate,
    ssrc,
    feedback: { nack: retransmission !== undefined, pictureLoss: isVideo, fullIntra: isVideo },
    retransmission,
    keptMs: Math.floor(senderOptions(parameters).historyTime / 1_000),
  };
}
