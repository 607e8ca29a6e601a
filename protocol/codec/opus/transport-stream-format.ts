import type { TransportStreamFormat } from '../codec.ts';
import { parseOpusHead } from './opus-head.ts';

/** Registration descriptor (ISO/IEC 13818-1 §2.6.8) of the format `Opus`. */
const REGISTRATION = [0x05, 0x04, 0x4f, 0x70, 0x75, 0x73];
/** Longest value of one byte of a control header's length; a further byte follows. */
const LENGTH_BYTE_MAX = 0xff;

/** Opus in MPEG-TS (ETSI TS 103 491 as ffmpeg and Open Broadcast write it: private data with a control header). */
export const OPUS_TRANSPORT_STREAM: TransportStreamFormat = {
  streamType: 0x06,
  streamId: 0xbd,
  descriptors(sets) {
    const head = sets[0] && parseOpusHead(sets[0]);
    // Extension descriptor 0x7f with tag 0x80; the value is the channel count of a Vorbis layout.
    return [...REGISTRATION, 0x7f, 0x02, 0x80, head?.channels ?? 2];
  },
  /** A control header in front: prefix of 11 bits, no trims, then the length in bytes of 255. */
  write(parts) {
    const packet = parts[0] ?? new Uint8Array(0);
    const lengthBytes = Math.floor(packet.length / LENGTH_BYTE_MAX) + 1;
    const bytes = new Uint8Array(2 + lengthBytes + packet.length).fill(LENGTH_BYTE_MAX);
    bytes.set([0x7f, 0xe0]);
    bytes[1 + lengthBytes] = packet.length % LENGTH_BYTE_MAX;
    bytes.set(packet, 2 + lengthBytes);
    return bytes;
  },
};
