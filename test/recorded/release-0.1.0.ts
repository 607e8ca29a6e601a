import { z } from 'zod';

/**
 * The control messages that release 0.1.0 takes, copied from its source: an unknown field, kind, codec or version is an
 * error there, and closes the connection. An oracle for what may be said to that release.
 */

const PARAMETER_SETS_MAX = 64;
const PARAMETER_SET_BYTES_MAX = 24_576;
const MEDIA_NAME_CHARACTERS_MAX = 255;
const REASON_CHARACTERS_MAX = 200;
const LATENCY_MS_MAX = 60_000;
const RECOVERIES = ['none', 'reorder', 'nack', 'fec', 'hybrid'] as const;
const CONTROL_VERSION = 1;

const wire16 = z.int().min(0).max(0xffff);
const wire32 = z.int().min(0).max(0xffff_ffff);
const count = z.int().min(0);
const payloadType = z.int().min(96).max(127);
const latencyMs = z.int().min(0).max(LATENCY_MS_MAX);
const spanMs = z.number().min(0).max(86_400_000);
const session = z.string().regex(/^[0-9a-f]{16}$/);
const key = z.string().regex(/^[0-9a-f]{32}$/);
const parameterSet = z
  .string()
  .min(4)
  .max((PARAMETER_SET_BYTES_MAX / 3) * 4)
  .regex(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/);
const NOT_PRESENTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;
const text = (charactersMax: number) =>
  z
    .string()
    .max(charactersMax)
    .refine((value) => !NOT_PRESENTABLE.test(value));

const media = z.strictObject({
  name: text(MEDIA_NAME_CHARACTERS_MAX),
  codec: z.string().regex(/^avc1\.[0-9a-fA-F]{6}$/),
  width: z.int().min(1).max(65_535),
  height: z.int().min(1).max(65_535),
  framesPerSecond: z.number().positive().max(100_000).nullable(),
  durationMs: z.number().min(0).nullable(),
  mode: z.string().regex(/^[a-z0-9-]{1,32}$/),
});

const hello = z.strictObject({
  kind: z.literal('hello'),
  version: z.literal(CONTROL_VERSION),
  transport: z.enum(['udp', 'tcp']),
  latencyMs,
  recovery: z.enum(RECOVERIES),
  redundancy: z.number().min(0).max(1).optional(),
  userAgent: text(100).optional(),
  playing: z.boolean(),
});

const attach = z.strictObject({ kind: z.literal('attach'), session, key });

const play = z.strictObject({ kind: z.literal('play') });
const pause = z.strictObject({ kind: z.literal('pause') });
const requestKeyframe = z.strictObject({ kind: z.literal('request-keyframe') });

const statistics = z.strictObject({
  kind: z.literal('statistics'),
  frames: count,
  framesLost: count,
  framesLate: count,
  packets: count,
  packetsLost: count,
  packetsRecovered: count,
  delayMsP50: spanMs.nullable(),
  delayMsP95: spanMs.nullable(),
  roundTripMs: spanMs.nullable(),
});

const welcome = z.strictObject({
  kind: z.literal('welcome'),
  version: z.literal(CONTROL_VERSION),
  session,
  key,
  media,
  ssrc: wire32,
  retransmissionSsrc: wire32,
  payloadType,
  retransmissionPayloadType: payloadType,
  repairSsrc: wire32.optional(),
  repairPayloadType: payloadType.optional(),
  initialSequence: wire16.optional(),
  timestampBase: wire32,
  datagramBytesMax: z.int().min(200).max(65_507),
  parameterSets: z.array(parameterSet).max(PARAMETER_SETS_MAX),
  latencyMs,
  position: z.enum(['start', 'live']),
});

const attached = z.strictObject({ kind: z.literal('attached') });

const keyframe = z.strictObject({ kind: z.literal('keyframe'), inMs: spanMs.nullable() });

const endOfStream = z.strictObject({
  kind: z.literal('end-of-stream'),
  frames: count,
  packets: count,
  lastSequence: wire16.nullable(),
});

const refused = z.strictObject({ kind: z.literal('refused'), reason: text(REASON_CHARACTERS_MAX) });

const goodbye = z.strictObject({ kind: z.literal('goodbye'), reason: text(REASON_CHARACTERS_MAX) });

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

/** Messages accepted as a sender. */
export const oldReceiverMessage = receiverMessage;
/** Messages accepted as a receiver. */
export const oldSenderMessage = senderMessage;
