/** Frame lengths of the SILK-only, hybrid and CELT-only configurations, samples of 48 kHz (RFC 6716 §3.1, table 2). */
const SILK = [480, 960, 1_920, 2_880];
const HYBRID = [480, 960];
const CELT = [120, 240, 480, 960];
/** Longest packet, samples of 48 kHz: 120 ms (RFC 6716 §3.2.5). */
const SAMPLES_MAX = 5_760;

/**
 * Returns the length of the sound in an Opus packet, samples of 48 kHz; 0 when it is malformed. From the
 * table-of-contents byte (RFC 6716 §3.1):
 *
 *     0
 *     0 1 2 3 4 5 6 7
 *    +-+-+-+-+-+-+-+-+
 *    | config  |s| c |
 *    +-+-+-+-+-+-+-+-+
 */
export function opusPacketSamples(packet: Uint8Array): number {
  const [contents, count] = packet;
  if (contents === undefined) return 0;
  const config = contents >> 3;
  const frame = config < 12 ? SILK[config & 3]! : config < 16 ? HYBRID[config & 1]! : CELT[config & 3]!;
  const code = contents & 3;
  // Code 3 has a byte with the number of frames, and needs it.
  const frames = code === 0 ? 1 : code < 3 ? 2 : (count ?? 0) & 0x3f;
  return frame * frames > SAMPLES_MAX ? 0 : frame * frames;
}

/** True when the bytes can be an Opus packet. */
export const isOpusPacket = (payload: Uint8Array): boolean => opusPacketSamples(payload) > 0;

/** Full-band CELT configurations by their frame lengths, samples of 48 kHz, and a frame of silence (RFC 6716 §4.3). */
const FULL_BAND = new Map([
  [960, 31],
  [480, 30],
  [240, 29],
  [120, 28],
]);
const SILENT_FRAME = [0xff, 0xfe];

/** Returns a packet of silence that is as long as this one (RFC 6716 §3.2.5, frames of equal length); `undefined` when it is malformed. */
export function silentOpusPacket(like: Uint8Array): Uint8Array | undefined {
  const samples = opusPacketSamples(like);
  if (samples === 0) return undefined;
  const isStereo = like[0]! & 0x04;
  for (const [frame, config] of FULL_BAND) {
    const count = samples / frame;
    if (!Number.isInteger(count)) continue;
    return Uint8Array.from([(config << 3) | isStereo | 3, count, ...Array(count).fill(SILENT_FRAME).flat()]);
  }
  return undefined;
}
