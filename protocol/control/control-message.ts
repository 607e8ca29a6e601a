import { z } from 'zod';
import { assert } from '../base/assert.ts';
import { malformed, type Parsed, parsed } from '../base/parsed.ts';
import { base64Text } from '../base/text-codec.ts';
import { CONTROL_BODY_BYTES_MAX } from './control-framing.ts';
import { LATENCY_MS_MAX } from './latency-limit.ts';
import { RECOVERIES } from './recovery.ts';

/**
 * The messages on the control connection, JSON, one in each frame (`control-framing.ts`). Each number that the peer
 * picks has a range, each text and list a bound, and what is not named here is refused.
 */

export const CONTROL_VERSION = 1;

export const MEDIA_NAME_CHARACTERS_MAX = 255;
export const REASON_CHARACTERS_MAX = 200;

/** Each of 32 SPS and some PPS; a stream has one of each as a rule. */
const PARAMETER_SETS_MAX = 64;
/** All of a `welcome`'s together: as base64 they take half of a message's body. */
const PARAMETER_SET_BYTES_MAX = 24_576;

const wire16 = z.int().min(0).max(0xffff);
const wire32 = z.int().min(0).max(0xffff_ffff);
const count = z.int().min(0);
/** Dynamic payload types (RFC 3551 §3), clear of those that RFC 5761 §4 keeps for RTCP. */
const payloadType = z.int().min(96).max(127);
const latencyMs = z.int().min(0).max(LATENCY_MS_MAX);
const spanMs = z.number().min(0).max(86_400_000);
const session = z.string().regex(/^[0-9a-f]{16}$/);
const key = z.string().regex(/^[0-9a-f]{32}$/);
/** Base64 with padding. */
const parameterSet = z
  .string()
  .min(4)
  .max((PARAMETER_SET_BYTES_MAX / 3) * 4)
  .regex(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/);
/** Text that goes to terminals and logs: no control characters, so that a peer cannot steer them. */
const NOT_PRESENTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;
const text = (charactersMax: number) =>
  z
    .string()
    .max(charactersMax)
    .refine((value) => !NOT_PRESENTABLE.test(value));

const media = z.strictObject({
  /** What to show as a title: a file's name without its path. */
  name: text(MEDIA_NAME_CHARACTERS_MAX),
  /** RFC 6381: `avc1.` and profile, constraints and level in hexadecimal. */
  codec: z.string().regex(/^avc1\.[0-9a-fA-F]{6}$/),
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
const hello = z.strictObject({
  kind: z.literal('hello'),
  version: z.literal(CONTROL_VERSION),
  transport: z.enum(['udp', 'tcp']),
  /** The play-out delay that it asks for, milliseconds. */
  latencyMs,
  recovery: z.enum(RECOVERIES),
  /** Bytes of retransmission and repair that it wants at most for each byte of media; without it, the sender's default. */
  redundancy: z.number().min(0).max(1).optional(),
  userAgent: text(100).optional(),
  /** Whether the stream is to start at once; `false`: it waits for `play`. */
  playing: z.boolean(),
});

/** The first and only message of a second connection, which carries media from then on (transport `tcp`). */
const attach = z.strictObject({ kind: z.literal('attach'), session, key });

const play = z.strictObject({ kind: z.literal('play') });
const pause = z.strictObject({ kind: z.literal('pause') });
const requestKeyframe = z.strictObject({ kind: z.literal('request-keyframe') });

/** How it goes, now and then. Counts are totals since the session began; `null`: nothing to measure yet. */
const statistics = z.strictObject({
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
const welcome = z.strictObject({
  kind: z.literal('welcome'),
  version: z.literal(CONTROL_VERSION),
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
  parameterSets: z.array(parameterSet).max(PARAMETER_SETS_MAX),
  /** The play-out delay agreed on. */
  latencyMs,
  /** `start`: the stream begins for this receiver; `live`: it runs, and joins at the next keyframe. */
  position: z.enum(['start', 'live']),
});

/** The answer to `attach`; RFC 4571 frames follow it. */
const attached = z.strictObject({ kind: z.literal('attached') });

/** The answer to `request-keyframe`: when the next one comes; `null`: not known, or none comes. */
const keyframe = z.strictObject({ kind: z.literal('keyframe'), inMs: spanMs.nullable() });

/** All has been sent. */
const endOfStream = z.strictObject({
  kind: z.literal('end-of-stream'),
  /** Sent to this receiver. */
  frames: count,
  packets: count,
  /** Of the last packet sent, as on the wire; `null`: none was. */
  lastSequence: wire16.nullable(),
});

/** No session; the connection closes next. */
const refused = z.strictObject({ kind: z.literal('refused'), reason: text(REASON_CHARACTERS_MAX) });

/** The last message of either side. */
const goodbye = z.strictObject({ kind: z.literal('goodbye'), reason: text(REASON_CHARACTERS_MAX) });

/** Nothing to say, and still there; of either side. */
const keepAlive = z.strictObject({ kind: z.literal('keep-alive') });

const receiverMessage = z.discriminatedUnion('kind', [
  hello,
  attach,
  play,
  pause,
  requestKeyframe,
  statistics,
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

export const parseControlMessage = (text: string): Parsed<ControlMessage> => parseWith(controlMessage, text);

/** For the sender's side: what a sender would say is refused. */
export const parseReceiverMessage = (text: string): Parsed<ReceiverMessage> => parseWith(receiverMessage, text);

/** For the receiver's side: what a receiver would say is refused. */
export const parseSenderMessage = (text: string): Parsed<SenderMessage> => parseWith(senderMessage, text);

function parseWith<T>(schema: z.ZodType<T>, text: string): Parsed<T> {
  if (text.length > CONTROL_BODY_BYTES_MAX) return malformed('too-long');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return malformed('not-json');
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
