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
import { announcedStreams, refuseStream } from './media-stream.ts';
import { RECOVERIES } from './recovery.ts';

/**
 * The messages on the control connection, JSON, one in each frame (`control-framing.ts`). Each number that the peer
 * picks has a range, and each text and list a bound. A field or a kind that is not named here is a newer peer's, and
 * ignored.
 */

export const MEDIA_NAME_CHARACTERS_MAX = 255;
export const REASON_CHARACTERS_MAX = 200;

const count = z.int().min(0);
const latencyMs = z.int().min(0).max(LATENCY_MS_MAX);
const spanMs = z.number().min(0).max(86_400_000);
const session = z.string().regex(/^[0-9a-f]{16}$/);
const key = z.string().regex(/^[0-9a-f]{32}$/);

const media = z.object({
  /** What to show as a title: a file's name without its path. */
  name: text(MEDIA_NAME_CHARACTERS_MAX),
  /** RFC 6381, of the first video stream: `avc1.` and profile, constraints and level in hexadecimal. */
  codec: decoderString,
  /** Luma samples after cropping. */
  width: z.int().min(1).max(65_535),
  height: z.int().min(1).max(65_535),
  /** `null`: not known or not constant. */
  framesPerSecond: z.number().positive().max(100_000).nullable(),
  /** `null`: endless or not known. */
  durationMs: z.number().min(0).nullable(),
  /** How the pictures were made: `copy`, `x264`. */
  mode: z.string().regex(/^[a-z0-9-]{1,32}$/),
});

/** The first message of a receiver: what it wants. */
const hello = z.object({
  kind: z.literal('hello'),
  version: z.literal(CONTROL_MAJOR),
  transport: z.enum(['udp', 'tcp']),
  /** The play-out delay that it asks for, milliseconds. */
  latencyMs,
  recovery: z.enum(RECOVERIES),
  /** How long after that it still asks for what others refer to, milliseconds; without it, 5,000. */
  mendMs: z.int().min(0).max(MEND_MS_MAX).optional(),
  /** Bytes of retransmission and repair that it wants at most for each byte of media; without it, the sender's default. */
  redundancy: z.number().min(0).max(1).optional(),
  userAgent: text(100).optional(),
  /** Whether the stream is to start at once; `false`: it waits for `play`. */
  playing: z.boolean(),
});

/** The first and only message of a second connection, which carries media from then on (transport `tcp`). */
const attach = z.object({ kind: z.literal('attach'), session, key });

const play = z.object({ kind: z.literal('play') });
const pause = z.object({ kind: z.literal('pause') });
const requestKeyframe = z.object({ kind: z.literal('request-keyframe') });

/** How it goes, now and then. Counts are totals since the session began; `null`: nothing to measure yet. */
const statistics = z.object({
  kind: z.literal('statistics'),
  frames: count,
  framesLost: count,
  framesLate: count,
  packets: count,
  packetsLost: count,
  packetsRecovered: count,
  /** Play-out delay of the frames, half of them and 95 of 100 below. */
  delayMsP50: spanMs.nullable(),
  delayMsP95: spanMs.nullable(),
  roundTripMs: spanMs.nullable(),
});

/** The answer to `hello`: all that is needed to receive. */
const welcome = z.object({
  kind: z.literal('welcome'),
  version: z.literal(CONTROL_MAJOR),
  /** The sender's minor version; without it, 0. Only for receivers of 1.1 and later, as `streams`. */
  minor: z.int().min(0).max(9_999).optional(),
  /** Eight bytes that name the session. */
  session,
  /** Sixteen bytes that only the two ends of the session know. */
  key,
  media,
  ssrc: wire32,
  retransmissionSsrc: wire32,
  payloadType,
  retransmissionPayloadType: payloadType,
  /** Of repair packets, where the receiver chose a recovery that has some. */
  repairSsrc: wire32.optional(),
  repairPayloadType: payloadType.optional(),
  /** The first packet's sequence number, where it is known already. */
  initialSequence: wire16.optional(),
  /** The RTP timestamp of media time 0. */
  timestampBase: wire32,
  /** Largest datagram that will come, UDP payload bytes. */
  datagramBytesMax: z.int().min(200).max(65_507),
  /** Empty when `streams` has them. */
  parameterSets,
  /** The play-out delay agreed on. */
  latencyMs,
  /** `start`: the stream begins for this receiver; `live`: it runs, and joins at the next keyframe. */
  position: z.enum(['start', 'live']),
  /** All media streams; the first is the video that the single fields above describe for 1.0 receivers. */
  streams: announcedStreams.optional(),
});

/** The answer to `attach`; RFC 4571 frames follow it. */
const attached = z.object({ kind: z.literal('attached') });

/** The answer to `request-keyframe`: when the next one comes; `null`: not known, or none comes. */
const keyframe = z.object({ kind: z.literal('keyframe'), inMs: spanMs.nullable() });

/** All has been sent. */
const endOfStream = z.object({
  kind: z.literal('end-of-stream'),
  /** Sent to this receiver. */
  frames: count,
  packets: count,
  /** Of the last packet sent, as on the wire; `null`: none was. */
  lastSequence: wire16.nullable(),
});

/** No session; the connection closes next. */
const refused = z.object({ kind: z.literal('refused'), reason: text(REASON_CHARACTERS_MAX) });

/** The last message of either side. */
const goodbye = z.object({ kind: z.literal('goodbye'), reason: text(REASON_CHARACTERS_MAX) });

/** Nothing to say, and still there; of either side. */
const keepAlive = z.object({ kind: z.literal('keep-alive') });

const receiverMessage = z.discriminatedUnion('kind', [
  hello,
  attach,
  play,
  pause,
  requestKeyframe,
  statistics,
  refuseStream,
  goodbye,
  keepAlive,
]);

const senderMessage = z.discriminatedUnion('kind', [
  welcome,
  attached,
  keyframe,
  endOfStream,
  refused,
  goodbye,
  keepAlive,
]);

const controlMessage = z.discriminatedUnion('kind', [
  ...receiverMessage.options,
  ...senderMessage.options.filter((option) => option !== goodbye && option !== keepAlive),
]);

/** What a receiver says. */
export type ReceiverMessage = z.infer<typeof receiverMessage>;
/** What a sender says. */
export type SenderMessage = z.infer<typeof senderMessage>;
export type ControlMessage = ReceiverMessage | SenderMessage;
export type StatisticsMessage = z.infer<typeof statistics>;
export type WelcomeMessage = z.infer<typeof welcome>;
export type HelloMessage = z.infer<typeof hello>;

/** A message of a kind that a newer peer may say: to be ignored. */
export interface UnrecognizedMessage {
  readonly kind: 'unrecognized';
}

export const parseControlMessage = (text: string): Parsed<ControlMessage | UnrecognizedMessage> =>
  parseWith(controlMessage, text);

/** For the sender's side: a sender's message is refused. */
export const parseReceiverMessage = (text: string): Parsed<ReceiverMessage | UnrecognizedMessage> =>
  parseWith(receiverMessage, text);

/** For the receiver's side: a receiver's message is refused. */
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
  // Nothing else is known of a message of another major version.
  if ((kind === 'hello' || kind === 'welcome') && Number.isSafeInteger(version) && version !== CONTROL_MAJOR) {
    return malformed(`control protocol version ${version}, and this program speaks ${CONTROL_MAJOR}`);
  }
  const result = schema.safeParse(value);
  return result.success ? parsed(result.data) : malformed(causeOf(result.error));
}

/** Where and why, in our own words: nothing that the peer wrote gets into a log by this way. */
function causeOf(error: z.ZodError): string {
  const issue = error.issues[0];
  return issue === undefined ? 'message' : `message: ${['', ...issue.path].join('.').slice(1)} ${issue.code}`;
}

/** JSON, and a proof that the other side will take it. Texts from outside go through `presentable` first. */
export function serializeControlMessage(message: ControlMessage): string {
  const result = controlMessage.safeParse(message);
  assert(result.success, `our own message is sound (${result.success ? '' : causeOf(result.error)})`);
  return JSON.stringify(result.data);
}

/** A text from outside (a file's name, an error) made fit for a message: cut, and without control characters. */
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
 * Parameter sets made fit for a `welcome`. None of them when they are beyond its limits: a receiver finds them in front
 * of the next key frame as well.
 */
export function presentableParameterSets(parameterSets: readonly Uint8Array[]): string[] {
  const bytes = parameterSets.reduce((sum, set) => sum + set.length, 0);
  const fit = parameterSets.length <= PARAMETER_SETS_MAX && bytes <= PARAMETER_SET_BYTES_MAX;
  return fit ? parameterSets.filter((set) => set.length > 0).map(base64Text) : [];
}
