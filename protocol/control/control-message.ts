import { z } from 'zod';
import { assert } from '../base/assert.ts';
import { malformed, type Parsed, parsed } from '../base/parsed.ts';
import { base64Text } from '../base/text-codec.ts';
import {
  decoderString,
  NOT_PRESENTABLE,
  PARAMETER_SET_BYTES_MAX,
  PARAMETER_SETS_MAX,
  parameterSets,
  payloadType,
  text,
  wire16,
  wire32,
} from './control-field.ts';
import { CONTROL_BODY_BYTES_MAX } from './control-framing.ts';
import { CONTROL_MAJOR } from './control-version.ts';
import { LATENCY_MS_MAX, MEND_MS_MAX } from './latency-limit.ts';
import { announcedStreams, MEDIA_STREAMS_MAX, refuseStream, streamId } from './media-stream.ts';
import { RECOVERIES } from './recovery.ts';
import { TWO_PATH_USES } from './two-path-use.ts';

/**
 * Messages on the control connection: JSON, one per frame (`control-framing.ts`). Numbers from a peer have a range, and
 * texts and lists a maximum length. Unknown fields and kinds come from a newer peer and are ignored.
 */

export const MEDIA_NAME_CHARACTERS_MAX = 255;
export const REASON_CHARACTERS_MAX = 200;

/**
 * Upper bound of counts: 2^48 packets are the most that one key may protect (RFC 3711 §3.2.1), 89 years at 100,000 per
 * second. Sums of a few of these are still exact.
 */
export const COUNT_MAX = 2 ** 48;

/** A welcome with the most parameter sets has less than 36 kB before it is sealed. */
const SEALED_CHARACTERS_MAX = 60_000;

const count = z.int().min(0).max(COUNT_MAX);
const latencyMs = z.int().min(0).max(LATENCY_MS_MAX);
/** One day. */
export const SPAN_MS_MAX = 86_400_000;
const spanMs = z.number().min(0).max(SPAN_MS_MAX);
const session = z.string().regex(/^[0-9a-f]{16}$/);
const key = z.string().regex(/^[0-9a-f]{32}$/);

const media = z.object({
  /** Title of the stream: a file name without its path. */
  name: text(MEDIA_NAME_CHARACTERS_MAX),
  /** RFC 6381 string of the first video stream: `avc1.` and profile, constraints and level in hexadecimal. */
  codec: decoderString,
  /** Luma samples after cropping; 0 for sound alone. */
  width: z.int().min(0).max(65_535),
  height: z.int().min(0).max(65_535),
  /** Rotation clockwise that a player applies, degrees; none when absent. */
  rotation: z.literal([90, 180, 270]).optional(),
  /** Frame rate; `null` when unknown or not constant. */
  framesPerSecond: z.number().positive().max(100_000).nullable(),
  /** Duration; `null` when endless or unknown. */
  durationMs: z.number().min(0).nullable(),
  /** Encoding mode: `copy`, `x264`, `opus`. */
  mode: z.string().regex(/^[a-z0-9-]{1,32}$/),
});

/** First message of a receiver: its wishes. */
const hello = z.object({
  kind: z.literal('hello'),
  version: z.literal(CONTROL_MAJOR),
  transport: z.enum(['udp', 'tcp']),
  /** Requested play-out delay, milliseconds. */
  latencyMs,
  recovery: z.enum(RECOVERIES),
  /** Time after the play-out delay for which it still requests reference frames, milliseconds; 5,000 when absent. */
  mendMs: z.int().min(0).max(MEND_MS_MAX).optional(),
  /** Maximum bytes of retransmission and repair per byte of media; the sender's default when absent. */
  redundancy: z.number().min(0).max(1).optional(),
  userAgent: text(100).optional(),
  /** Use of a second path, whose address the receiver proves too; UDP only. Absent: one path. */
  paths: z.enum(TWO_PATH_USES).optional(),
  /** True to start the stream at once; with `false`, it waits for `play`. */
  playing: z.boolean(),
});

/** CPace share (`cpace.ts`): 32 bytes. */
const share = z.string().regex(/^[0-9a-f]{64}$/);

/** Precedes `hello` where the sender has a passphrase, on an encrypted connection only. */
const authenticate = z.object({ kind: z.literal('authenticate'), share });

/** First and only message of a second connection, which carries media from then on (transport `tcp`). */
const attach = z.object({ kind: z.literal('attach'), session, key });

const play = z.object({ kind: z.literal('play') });
const pause = z.object({ kind: z.literal('pause') });
/**
 * SSRC of the receiver's RTCP. Until it is announced, the sender takes it from the first report or request that names
 * the media.
 */
const reportSource = z.object({
  kind: z.literal('report-source'),
  ssrc: wire32,
  /** The stream that it reports on; 0, the video, when absent. */
  id: streamId.optional(),
});
const requestKeyFrame = z.object({ kind: z.literal('request-keyframe') });

/** Periodic statistics. Counts are totals since the session began; `null`: not measured yet. */
const statistics = z.object({
  kind: z.literal('statistics'),
  frames: count,
  framesLost: count,
  framesLate: count,
  packets: count,
  packetsLost: count,
  packetsRecovered: count,
  /** Median and 95th percentile of the frames' play-out delay. */
  delayMsP50: spanMs.nullable(),
  delayMsP95: spanMs.nullable(),
  roundTripMs: spanMs.nullable(),
  /** Datagrams dropped by the receiver's own system before they were read; absent when none are known. */
  hostDrops: count.optional(),
});

/** Answer to `hello`: everything needed to receive. */
const welcome = z.object({
  kind: z.literal('welcome'),
  version: z.literal(CONTROL_MAJOR),
  /** The sender's minor version; 0 when absent. Like `streams`, only for receivers of 1.1 and later. */
  minor: z.int().min(0).max(9_999).optional(),
  /** Session identifier, eight bytes. */
  session,
  /** Session key, sixteen bytes, known to the two ends only. */
  key,
  media,
  ssrc: wire32,
  retransmissionSsrc: wire32,
  payloadType,
  retransmissionPayloadType: payloadType,
  /** SSRC of repair packets, when the receiver chose a recovery that uses them. */
  repairSsrc: wire32.optional(),
  repairPayloadType: payloadType.optional(),
  /** Sequence number of the first packet, when known. */
  initialSequence: wire16.optional(),
  /** RTP timestamp of media time 0. */
  timestampBase: wire32,
  /** Largest datagram to expect, UDP payload bytes. */
  datagramBytesMax: z.int().min(200).max(65_507),
  /**
   * Length of a full media packet on the wire, UDP payload bytes: the sender may hand a run of these, the last of them
   * shorter, to its system in one piece, and the receiver's system may return them so. Only to receivers of 1.1 and later.
   */
  fullDatagramBytes: z.int().min(100).max(65_507).optional(),
  /** Empty when `streams` carries them. */
  parameterSets,
  /** Agreed play-out delay. */
  latencyMs,
  /** Number of paths, for a receiver that asked for two; one when absent. */
  paths: z.literal(2).optional(),
  /** `start`: the stream begins for this receiver; `live`: it is running and is joined at the next key frame. */
  position: z.enum(['start', 'live']),
  /** All media streams. The first is the video that the single fields above describe for 1.0 receivers. */
  streams: announcedStreams.optional(),
});

/** Answer to `authenticate` and `hello`: the sender's share, proof of the common key, and `welcome` encrypted under it. */
const sealedWelcome = z.object({
  kind: z.literal('sealed-welcome'),
  share,
  confirmation: z.string().regex(/^[0-9a-f]{64}$/),
  /** Base64 of ciphertext and tag, AES-128-GCM. */
  sealed: z
    .string()
    .max(SEALED_CHARACTERS_MAX)
    .regex(/^[A-Za-z0-9+/]*={0,2}$/),
});

/** Answer to `attach`; RFC 4571 frames follow. */
const attached = z.object({ kind: z.literal('attached') });

/** Answer to `request-keyframe`: time until the next key frame; `null` when unknown or when there is none. */
const keyFrame = z.object({ kind: z.literal('keyframe'), inMs: spanMs.nullable() });

/**
 * Running totals of frames and packets sent to this receiver, every second. The receiver counts as lost those that are
 * due and unseen. Not sent to 1.0 receivers, which do not know it.
 */
const sent = z.object({
  kind: z.literal('sent'),
  frames: count,
  packets: count,
  /** Datagrams of these that the sender's operating system refused to send. */
  refused: count,
  /** Totals of each further stream that the receiver did not refuse. */
  streams: z
    .array(z.object({ id: streamId, frames: count, packets: count }))
    .max(MEDIA_STREAMS_MAX)
    .optional(),
});

/** Everything has been sent. */
const endOfStream = z.object({
  kind: z.literal('end-of-stream'),
  /** Frames sent to this receiver. */
  frames: count,
  packets: count,
  /** Wire sequence number of the last packet sent; `null` when no packet was sent. */
  lastSequence: wire16.nullable(),
  /** The same of each further stream that the receiver did not refuse. */
  streams: z
    .array(z.object({ id: streamId, frames: count, packets: count, lastSequence: wire16.nullable() }))
    .max(MEDIA_STREAMS_MAX)
    .optional(),
});

/** No session; the connection closes next. */
const refused = z.object({ kind: z.literal('refused'), reason: text(REASON_CHARACTERS_MAX) });

/** Last message of either side. */
const goodbye = z.object({ kind: z.literal('goodbye'), reason: text(REASON_CHARACTERS_MAX) });

/** Sent by either side while there is nothing else to send. */
const keepAlive = z.object({ kind: z.literal('keep-alive') });

const receiverMessage = z.discriminatedUnion('kind', [
  authenticate,
  hello,
  attach,
  play,
  pause,
  requestKeyFrame,
  reportSource,
  statistics,
  refuseStream,
  goodbye,
  keepAlive,
]);

const senderMessage = z.discriminatedUnion('kind', [
  welcome,
  sealedWelcome,
  attached,
  keyFrame,
  sent,
  endOfStream,
  refused,
  goodbye,
  keepAlive,
]);

const controlMessage = z.discriminatedUnion('kind', [
  ...receiverMessage.options,
  ...senderMessage.options.filter((option) => option !== goodbye && option !== keepAlive),
]);

/** Messages of a receiver. */
export type ReceiverMessage = z.infer<typeof receiverMessage>;
/** Messages of a sender. */
export type SenderMessage = z.infer<typeof senderMessage>;
export type ControlMessage = ReceiverMessage | SenderMessage;
export type SentMessage = z.infer<typeof sent>;
export type EndOfStreamMessage = z.infer<typeof endOfStream>;
export type StatisticsMessage = z.infer<typeof statistics>;
export type WelcomeMessage = z.infer<typeof welcome>;
export type SealedWelcomeMessage = z.infer<typeof sealedWelcome>;
export type HelloMessage = z.infer<typeof hello>;

/** A message of a kind defined by a newer version; to be ignored. */
export interface UnrecognizedMessage {
  readonly kind: 'unrecognized';
}

export const parseControlMessage = (text: string): Parsed<ControlMessage | UnrecognizedMessage> =>
  parseWith(controlMessage, text);

/** Parses on the sender's side: a sender's message is an error. */
export const parseReceiverMessage = (text: string): Parsed<ReceiverMessage | UnrecognizedMessage> =>
  parseWith(receiverMessage, text);

/** Parses on the receiver's side: a receiver's message is an error. */
export const parseSenderMessage = (text: string): Parsed<SenderMessage | UnrecognizedMessage> =>
  parseWith(senderMessage, text);

const KINDS: ReadonlySet<string> = new Set(controlMessage.options.map(({ shape }) => shape.kind.value));
const KIND_CHARACTERS_MAX = 64;

const envelope = z.object({ kind: z.string().min(1).max(KIND_CHARACTERS_MAX), version: z.unknown().optional() });

function parseWith<T>(schema: z.ZodType<T>, text: string): Parsed<T | UnrecognizedMessage> {
  if (text.length > CONTROL_BODY_BYTES_MAX) return malformed('too-long');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return malformed('not-json');
  }
  const outside = envelope.safeParse(value);
  if (!outside.success) return malformed(causeOf(outside.error));
  const { kind, version } = outside.data;
  if (!KINDS.has(kind)) return parsed({ kind: 'unrecognized' });
  // Other major versions are parsed no further than kind and version.
  if ((kind === 'hello' || kind === 'welcome') && Number.isSafeInteger(version) && version !== CONTROL_MAJOR) {
    return malformed(`control protocol version ${version} is unsupported (expected ${CONTROL_MAJOR})`);
  }
  const result = schema.safeParse(value);
  return result.success ? parsed(result.data) : malformed(causeOf(result.error));
}

/** Path and reason in our own words, so that text from the peer never reaches a log. */
function causeOf(error: z.ZodError): string {
  const issue = error.issues[0];
  return issue === undefined ? 'message' : `message: ${['', ...issue.path].join('.').slice(1)} ${issue.code}`;
}

/** Serializes to JSON and checks that the peer will accept it. External text must pass through `presentable` first. */
export function serializeControlMessage(message: ControlMessage): string {
  const result = controlMessage.safeParse(message);
  assert(result.success, `an outgoing message must be valid (${result.success ? '' : causeOf(result.error)})`);
  return JSON.stringify(result.data);
}

/** Makes external text (a file name, an error) fit for a message: truncated and without control characters. */
export function presentable(text: string, charactersMax: number): string {
  let result = '';
  for (const character of text) {
    const shown = NOT_PRESENTABLE.test(character) ? '\ufffd' : character;
    if (result.length + shown.length > charactersMax) break;
    result += shown;
  }
  return result;
}

/**
 * Makes parameter sets fit for a `welcome`. Returns none when they exceed its limits: a receiver also finds them in
 * front of the next key frame.
 */
export function presentableParameterSets(parameterSets: readonly Uint8Array[]): string[] {
  const bytes = parameterSets.reduce((sum, set) => sum + set.length, 0);
  const fit = parameterSets.length <= PARAMETER_SETS_MAX && bytes <= PARAMETER_SET_BYTES_MAX;
  return fit ? parameterSets.filter((set) => set.length > 0).map(base64Text) : [];
}
