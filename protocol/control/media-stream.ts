import { z } from 'zod';
import { CODEC_NAMES } from '../codec/codecs.ts';
import { decoderString, parameterSets, payloadType, text, wire16, wire32 } from './control-field.ts';

/**
 * Media streams of a session, as listed in `welcome`. Each has its own SSRC, clock, payload types, codec and parameter
 * sets. They share the session's media time, so one play-out delay sets the deadlines of all.
 */

/** Maximum number of streams: more than any session needs, such as several cameras with sound. */
export const MEDIA_STREAMS_MAX = 16;

/** Identifier of the first video stream, and that of the first sound stream. */
export const VIDEO_STREAM_ID = 0;
export const SOUND_STREAM_ID = 1;

export const streamId = z.int().min(0).max(255);
const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/);
const companion = z.object({ ssrc: wire32, payloadType });

/** Fields of a stream in every version of the protocol, so that a stream of an unknown codec can be refused by name. */
const streamName = z.object({
  /** Identifies the stream within its session. */
  id: streamId,
  /** `video`, `audio`. */
  mediaType: name,
  /** RTP payload format in lower case: `h264`, `h265`, `opus`. */
  codec: name,
});

const mediaStream = streamName.extend({
  codec: z.enum(CODEC_NAMES),
  decoder: decoderString,
  /** RTP timestamp ticks a second. */
  clockRate: z.int().min(1).max(1_000_000),
  ssrc: wire32,
  payloadType,
  retransmission: companion,
  repair: companion.optional(),
  /** Sequence number of the first packet, when known. */
  initialSequence: wire16.optional(),
  /** RTP timestamp of the session's media time 0. */
  timestampBase: wire32,
  parameterSets,
});

/** Streams, each with a full description, or with its name only when this version cannot describe it. */
export const announcedStreams = z
  .array(z.union([mediaStream, streamName]))
  .min(1)
  .max(MEDIA_STREAMS_MAX)
  .refine((streams) => new Set(streams.map(({ id }) => id)).size === streams.length);

export type MediaStream = z.infer<typeof mediaStream>;
export type AnnouncedStream = MediaStream | z.infer<typeof streamName>;

export const isDescribed = (stream: AnnouncedStream): stream is MediaStream => 'ssrc' in stream;

/** Sent by a receiver that declines this stream. */
export const refuseStream = z.object({
  kind: z.literal('refuse-stream'),
  id: streamId,
  reason: text(200),
});
