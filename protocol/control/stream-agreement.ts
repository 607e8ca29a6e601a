import { assert } from '../base/assert.ts';
import { inMilliseconds, milliseconds } from '../base/units.ts';
import { type CodecName, codecByName, codecNameOf } from '../codec/codecs.ts';
import { wireSequence, wireTimestamp } from '../rtp/sequence.ts';
import {
  type SentStreamParameters,
  STREAM_DEFAULTS,
  type StreamParameters,
  streamParameters,
} from '../stream-parameters.ts';
import type { HelloMessage, WelcomeMessage } from './control-message.ts';
import { frameMarksFor } from './control-version.ts';
import type { MediaStream } from './media-stream.ts';
import type { AcceptedWelcome } from './stream-choice.ts';

/** A receiver's wishes, as in its `hello`. */
export type StreamWishes = Pick<HelloMessage, 'transport' | 'recovery' | 'redundancy' | 'mendMs'>;

/** Choices of the sender for one receiver. */
export type StreamChoices = Pick<
  SentStreamParameters,
  'codec' | 'ssrc' | 'initialSequence' | 'timestampBase' | 'datagramBytesMax'
> &
  Partial<Pick<SentStreamParameters, 'clockRate'>>;

/** Payload types of the media, its retransmissions and its repair packets, by kind of stream. */
const PAYLOAD_TYPES = {
  video: [STREAM_DEFAULTS.payloadType, STREAM_DEFAULTS.retransmissionPayloadType, STREAM_DEFAULTS.repairPayloadType],
  audio: [100, 101, 102],
} as const;

/** Fields of `welcome` that describe how a stream is sent. */
export type StreamFields = Pick<
  WelcomeMessage,
  | 'ssrc'
  | 'retransmissionSsrc'
  | 'payloadType'
  | 'retransmissionPayloadType'
  | 'repairSsrc'
  | 'repairPayloadType'
  | 'initialSequence'
  | 'timestampBase'
  | 'datagramBytesMax'
  | 'fullDatagramBytes'
  | 'latencyMs'
>;

/** Sender's side: returns the parameters of the stream for a receiver with this `hello`. */
export function agreedParameters(
  hello: StreamWishes & Pick<HelloMessage, 'latencyMs' | 'userAgent'>,
  choices: StreamChoices,
): SentStreamParameters {
  const { ssrc, codec } = choices;
  const [payloadType, retransmissionPayloadType, repairPayloadType] = PAYLOAD_TYPES[codec.mediaType];
  return streamParameters({
    ...wished(hello),
    ...choices,
    payloadType,
    frameMarks: frameMarksFor(hello.userAgent),
    latency: milliseconds(hello.latencyMs),
    retransmission: { ssrc: (ssrc ^ 1) >>> 0, payloadType: retransmissionPayloadType },
    repair: { ssrc: (ssrc ^ 2) >>> 0, payloadType: repairPayloadType },
  });
}

/** Sender's side: converts parameters to fields of `welcome`. */
export function welcomeFields(parameters: SentStreamParameters): StreamFields {
  const { ssrc, payloadType, retransmission, repair, initialSequence, timestampBase } = parameters;
  assert(retransmission !== undefined, 'a stream must have a retransmission stream to be announced in `welcome`');
  return {
    ssrc,
    payloadType,
    retransmissionSsrc: retransmission.ssrc,
    retransmissionPayloadType: retransmission.payloadType,
    ...(repair && { repairSsrc: repair.ssrc, repairPayloadType: repair.payloadType }),
    initialSequence,
    timestampBase,
    datagramBytesMax: parameters.datagramBytesMax,
    latencyMs: inMilliseconds(parameters.latency),
  };
}

/** Sender's side: converts parameters to an entry in the list of streams. */
export function announcedStream(
  parameters: SentStreamParameters,
  description: Pick<MediaStream, 'id' | 'decoder' | 'parameterSets'>,
): MediaStream {
  const { codec, clockRate, ssrc, payloadType, retransmission, repair, initialSequence, timestampBase } = parameters;
  assert(retransmission !== undefined, 'a stream must have a retransmission stream to be announced in the list');
  return {
    ...description,
    mediaType: codec.mediaType,
    codec: codecNameOf(codec),
    clockRate,
    ssrc,
    payloadType,
    retransmission,
    ...(repair && { repair }),
    initialSequence,
    timestampBase,
  };
}

/** Receiver's side: returns the parameters that `welcome` grants to these wishes. */
export function welcomedParameters(
  welcome: StreamFields & { readonly codec: CodecName; readonly clockRate?: number },
  wishes: StreamWishes,
): StreamParameters {
  const { ssrc, payloadType, repairSsrc, repairPayloadType, initialSequence, timestampBase, datagramBytesMax } =
    welcome;
  const { retransmissionSsrc, retransmissionPayloadType, clockRate } = welcome;
  return streamParameters({
    ...wished(wishes),
    codec: codecByName(welcome.codec),
    ...(clockRate !== undefined && { clockRate }),
    ssrc,
    payloadType,
    retransmission: { ssrc: retransmissionSsrc, payloadType: retransmissionPayloadType },
    ...(repairSsrc !== undefined &&
      repairPayloadType !== undefined && { repair: { ssrc: repairSsrc, payloadType: repairPayloadType } }),
    ...(initialSequence !== undefined && { initialSequence: wireSequence(initialSequence) }),
    timestampBase: wireTimestamp(timestampBase),
    datagramBytesMax,
    latency: milliseconds(welcome.latencyMs),
  });
}

/** Receiver's side: returns the parameters of the sound in `welcome`; `undefined` without sound. */
export function welcomedSound(
  { sound, datagramBytesMax, latencyMs }: AcceptedWelcome,
  wishes: StreamWishes,
): (StreamParameters & { readonly ssrc: number }) | undefined {
  if (!sound) return undefined;
  const { codec, clockRate, ssrc, payloadType, retransmission, repair, initialSequence, timestampBase } = sound;
  const parameters = streamParameters({
    ...wished(wishes),
    codec: codecByName(codec),
    clockRate,
    ssrc,
    payloadType,
    retransmission,
    ...(repair && { repair }),
    ...(initialSequence !== undefined && { initialSequence: wireSequence(initialSequence) }),
    timestampBase: wireTimestamp(timestampBase),
    datagramBytesMax,
    latency: milliseconds(latencyMs),
  });
  return { ...parameters, ssrc };
}

const wished = ({ transport, recovery, redundancy, mendMs }: StreamWishes) => ({
  transport,
  recovery,
  ...(redundancy !== undefined && { redundancy }),
  ...(mendMs !== undefined && { mend: milliseconds(mendMs) }),
});
