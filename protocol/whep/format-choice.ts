import type { Codec } from '../codec/codec.ts';
import type { StreamFeedback } from '../sdp-feedback.ts';
import { feedbackIn } from '../sdp-feedback.ts';
import type { OfferedFormat, OfferedMedia } from './session-offer.ts';

/** Stream that is to be sent. */
export interface SentFormat {
  readonly codec: Codec;
  /** Ticks per second. */
  readonly clockRate: number;
  readonly parameterSets: readonly Uint8Array[];
}

/** Format that both ends know. */
export interface ChosenFormat {
  readonly payloadType: number;
  /** Parameters of the answer. */
  readonly parameters: readonly string[];
  /** Payload type of retransmissions (RFC 4588); `undefined` when they were not offered. */
  readonly retransmissionPayloadType: number | undefined;
  readonly feedback: StreamFeedback;
}

/** Chooses the format of a medium in which a stream is sent; `undefined` when none was offered. */
export function chooseFormat(media: OfferedMedia, stream: SentFormat): ChosenFormat | undefined {
  const { codec, clockRate, parameterSets } = stream;
  const { session, mediaType } = codec;
  if (!session || !media.receives || media.kind !== mediaType) return undefined;
  const name = session.encodingName.toLowerCase();
  const own = session.formatParameters(parameterSets);
  const candidates = media.formats
    .filter((format) => format.encodingName === name && format.clockRate === clockRate)
    .map((format) => ({ format, rank: rankOf(name, format.parameters, own) }))
    .filter(({ rank }) => rank > 0);
  const best = candidates.reduce<(typeof candidates)[number] | undefined>(
    (found, each) => (found === undefined || each.rank > found.rank ? each : found),
    undefined,
  )?.format;
  if (!best) return undefined;
  const { payloadType } = best;
  const { nack, ...forKeyFrames } = feedbackIn(media.lines, payloadType);
  const retransmissionPayloadType = nack ? retransmissionOf(media.formats, payloadType) : undefined;
  return {
    payloadType,
    // A description of sound tells how it is; one of pictures repeats the offer, as its profile must match.
    parameters: mediaType === 'audio' ? own : answered(best),
    retransmissionPayloadType,
    // Retransmissions have a stream of their own: without it, no request for a packet is answered.
    feedback: { ...forKeyFrames, nack: retransmissionPayloadType !== undefined },
  };
}

const answered = ({ parameters }: OfferedFormat): readonly string[] =>
  parameters.filter((each) => /^[\w-]{1,64}=[\w.+/,-]{1,256}$/.test(each)).slice(0, 16);

function retransmissionOf(formats: readonly OfferedFormat[], payloadType: number): number | undefined {
  const isIts = ({ encodingName, parameters }: OfferedFormat) =>
    encodingName === 'rtx' && parameters.includes(`apt=${payloadType}`);
  return formats.find(isIts)?.payloadType;
}

/** Returns how well offered parameters fit those of the stream: 0 when they exclude it. */
function rankOf(encodingName: string, offered: readonly string[], own: readonly string[]): number {
  if (encodingName === 'h264') return rankOfH264(offered, own);
  if (encodingName === 'vp9')
    return parameterIn(offered, 'profile-id', '0') === parameterIn(own, 'profile-id', '0') ? 2 : 0;
  return 1;
}

/**
 * Prefers the stream's own profile. Without it, the highest offered is taken: the decoders of browsers decode all profiles
 * of 4:2:0, whatever they announce for their encoders.
 */
function rankOfH264(offered: readonly string[], own: readonly string[]): number {
  if (parameterIn(offered, 'packetization-mode', '0') !== '1') return 0;
  const [theirs, ours] = [profileOf(offered), profileOf(own)];
  if (theirs.idc !== ours.idc) return 1 + theirs.idc / 256;
  return theirs.constraints === ours.constraints ? 4 : 3;
}

function profileOf(parameters: readonly string[]): { readonly idc: number; readonly constraints: number } {
  // The default is Baseline, level 1 (RFC 6184 §8.1).
  const value = Number.parseInt(parameterIn(parameters, 'profile-level-id', '42000a'), 16);
  // The last four bits of the constraints are reserved, or say nothing of the profile.
  return { idc: (value >> 16) & 0xff, constraints: (value >> 8) & 0xf0 };
}

function parameterIn(parameters: readonly string[], name: string, otherwise: string): string {
  const prefix = `${name}=`;
  const found = parameters.find((each) => each.toLowerCase().startsWith(prefix));
  return found === undefined ? otherwise : found.slice(prefix.length);
}
