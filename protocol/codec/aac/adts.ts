import { type AudioSpecificConfig, SAMPLE_RATES } from './audio-specific-config.ts';

/** Fields of an ADTS header. */
export interface AdtsHeader {
  /** Audio object type: 1 … 4. */
  readonly objectType: number;
  readonly rateIndex: number;
  readonly channelConfiguration: number;
  /** Length of the header, bytes: 7, or 9 with a checksum. */
  readonly headerBytes: number;
  /** Length of header and frame, bytes. */
  readonly frameBytes: number;
}

const HEADER_BYTES = 7;
const CHECKSUM_BYTES = 2;
/** Limit of header and frame, bytes: the field has 13 bits. */
export const ADTS_FRAME_BYTES_MAX = 0x1fff;

/**
 * Reads an ADTS header (ISO/IEC 14496-3 §1.A.3.2) at the start of these bytes; `undefined` when there is none.
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |      sync 0xfff       |V|lay|A|pro|  rate |P|chann|O|H|C|c|len
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     gth (13 bits)        | buffer fullness     |blo|
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export function parseAdts(bytes: Uint8Array): AdtsHeader | undefined {
  if (bytes.length < HEADER_BYTES || bytes[0] !== 0xff || (bytes[1]! & 0xf6) !== 0xf0) return undefined;
  const rateIndex = (bytes[2]! >> 2) & 0x0f;
  const headerBytes = (bytes[1]! & 1) === 1 ? HEADER_BYTES : HEADER_BYTES + CHECKSUM_BYTES;
  const frameBytes = ((bytes[3]! & 3) << 11) | (bytes[4]! << 3) | (bytes[5]! >> 5);
  if (rateIndex >= SAMPLE_RATES.length || frameBytes <= headerBytes) return undefined;
  return {
    objectType: (bytes[2]! >> 6) + 1,
    rateIndex,
    channelConfiguration: ((bytes[2]! & 1) << 2) | (bytes[3]! >> 6),
    headerBytes,
    frameBytes,
  };
}

/** Returns a frame with an ADTS header in front; `undefined` when the header cannot describe it. */
export function withAdts(frame: Uint8Array, config: AudioSpecificConfig): Uint8Array | undefined {
  const { objectType, rateIndex, channelConfiguration } = config;
  const length = HEADER_BYTES + frame.length;
  if (objectType > 4 || rateIndex >= SAMPLE_RATES.length || channelConfiguration > 7) return undefined;
  if (length > ADTS_FRAME_BYTES_MAX) return undefined;
  const bytes = new Uint8Array(length);
  bytes.set([
    ...[0xff, 0xf1, ((objectType - 1) << 6) | (rateIndex << 2) | (channelConfiguration >> 2)],
    ...[((channelConfiguration & 3) << 6) | (length >> 11), (length >> 3) & 0xff, ((length & 7) << 5) | 0x1f, 0xfc],
  ]);
  bytes.set(frame, HEADER_BYTES);
  return bytes;
}
