import { type DescribedMedia, writeSessionDescription } from '../sdp.ts';
import { CAPTURED_RECEIVER } from './captured-datagrams.ts';

/** A media stream in a capture; all of them have one port, which is the capture's. */
export type CapturedStream = Omit<DescribedMedia, 'port' | 'multiplexed'>;

export interface CapturedSession {
  readonly name: string;
  readonly streams: readonly CapturedStream[];
  /** True when the payloads are encrypted: their formats cannot be read. */
  readonly encrypted: boolean;
}

/** Returns the session description of the streams in a capture; `undefined` when there are none that SDP can describe. */
export function describeCapture({ name, streams, encrypted }: CapturedSession): string | undefined {
  const media = streams
    .filter(({ codec }) => codec?.session !== undefined)
    .map((stream) => ({ ...stream, port: CAPTURED_RECEIVER.port, multiplexed: true }));
  const [first, ...others] = media;
  if (!first) return undefined;
  const text = writeSessionDescription({ ...first, others, name, host: CAPTURED_RECEIVER.address.join('.') });
  return encrypted ? withoutFormats(text) : text;
}

/** Payload types without formats: a reader would parse ciphertext as video. */
const withoutFormats = (description: string): string =>
  description.replace(/a=(?:rtpmap|fmtp):.*\r\n/g, '').replace(/ RTP\/AVP/g, ' RTP/SAVP');
