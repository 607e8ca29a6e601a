/** RTP clock of Opus, whatever the rate of its input (RFC 7587 §4.1). */
export const OPUS_CLOCK_RATE = 48_000;

/** Decoder configuration of an Opus stream. */
export interface OpusHead {
  /** 1 … 255. */
  readonly channels: number;
  /** Samples of 48 kHz at the beginning that are to be discarded. */
  readonly preSkip: number;
  /** Rate of the original sound, 1/s; for information. */
  readonly inputRate: number;
  /** Gain to be applied, dB × 256, signed. */
  readonly gain: number;
  /** 0: mono or stereo without a table; 1: up to eight channels in Vorbis order. */
  readonly mappingFamily: number;
  /** Stream count, coupled count, and a byte per channel; empty for family 0. */
  readonly mappingTable: Uint8Array;
}

const MAGIC = [0x4f, 0x70, 0x75, 0x73, 0x48, 0x65, 0x61, 0x64]; // OpusHead
const HEAD_BYTES = 19;

/**
 * Reads an identification header (RFC 7845 §5.1), little-endian; `undefined` when it is malformed.
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |      'O'      |      'p'      |      'u'      |      's'      |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |      'H'      |      'e'      |      'a'      |      'd'      |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |  Version = 1  | Channel Count |           Pre-skip            |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                     Input Sample Rate (Hz)                    |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |   Output Gain (Q7.8 in dB)    | Mapping Family|               |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+               :
 *    :               Optional Channel Mapping Table...               :
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export function parseOpusHead(bytes: Uint8Array): OpusHead | undefined {
  if (bytes.length < HEAD_BYTES || MAGIC.some((byte, index) => bytes[index] !== byte)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [version, channels, mappingFamily] = [bytes[8]!, bytes[9]!, bytes[18]!];
  // Versions with the same upper half are compatible.
  if (version >> 4 !== 0 || channels === 0) return undefined;
  const tableBytes = mappingFamily === 0 ? 0 : 2 + channels;
  if (bytes.length < HEAD_BYTES + tableBytes || (mappingFamily === 0 && channels > 2)) return undefined;
  return {
    channels,
    preSkip: view.getUint16(10, true),
    inputRate: view.getUint32(12, true),
    gain: view.getInt16(16, true),
    mappingFamily,
    mappingTable: bytes.slice(HEAD_BYTES, HEAD_BYTES + tableBytes),
  };
}

/** Serializes an identification header. */
export function serializeOpusHead(head: OpusHead): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES + head.mappingTable.length);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  bytes[8] = 1;
  bytes[9] = head.channels;
  view.setUint16(10, head.preSkip, true);
  view.setUint32(12, head.inputRate, true);
  view.setInt16(16, head.gain, true);
  bytes[18] = head.mappingFamily;
  bytes.set(head.mappingTable, HEAD_BYTES);
  return bytes;
}
