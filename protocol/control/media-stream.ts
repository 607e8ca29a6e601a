import { z } from 'zod';
import { CODEC_NAMES } from '../codec/codecs.ts';
import { decoderString, parameterSets, payloadType, text, wire16, wire32 } from './control-field.ts';

/**
 * The media streams of a session, as `welcome` lists them. Each has its own SSRC, clock, payload types, codec and
 * parameter sets. They share the session's media time, so that one play-out delay gives all of them their deadlines.
 */

/** More than any session needs: pictures from several cameras and a sound track for each. */
export const MEDIA_STREAMS_MAX = 16;

const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/);
const companion = z.object({ ssrc: wire32, payloadType });

/** The fields that every version of the protocol gives a stream, so that one of another codec can be refused by name. */
const streamName = z.object({
  /** Names the stream within its session. */
  id: z.int().min(0).max(255),
  /** `video`, `audio`. */
  mediaType: name,
  /** The RTP payload format in lower case: `h264`, `h265`, `opus`. */
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
  /** The first packet's sequence number, when it is known already. */
  initialSequence: wire16.optional(),
  /** The RTP timestamp of the session's media time 0. */
  timestampBase: wire32,
  parameterSets,
});

/** A stream that this version can describe in full, or else the name of one that it cannot. */
export const announcedStreams = z
  .array(z.union([mediaStream, streamName]))
  .min(1)
  .max(MEDIA_STREAMS_MAX)
  .refine((streams) => new Set(streams.map(({ id }) => id)).size === streams.length);

export type MediaStream = z.infer<typeof mediaStream>;
export type AnnouncedStream = MediaStream | z.infer<typeof streamName>;

export const isDescribed = (stream: AnnouncedStream): stream is MediaStream => 'ssrc' in stream;

/** The receiver takes no packets of this stream. */
export const refuseStream = z.object({
  kind: z.literal('refuse-stream'),
  id: z.int().min(0).max(255),
  reason: text(200),
});
