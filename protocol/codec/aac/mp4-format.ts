import type { Mp4Format } from '../codec.ts';

/** Tags of descriptors (ISO/IEC 14496-1 §7.2.2.1). */
const TAG = { stream: 0x03, decoderConfiguration: 0x04, decoderSpecific: 0x05, synchronization: 0x06 } as const;
/** Object type indication of AAC, and an audio stream with the reserved bit set (§7.2.6.6). */
const AAC_OBJECT_TYPE = 0x40;
const AUDIO_STREAM = 0x15;
/** Largest length of one byte. */
const BYTES_MAX = 0x7f;

/** AAC in MP4 (ISO/IEC 14496-14 §5.6). */
export const AAC_MP4: Mp4Format = {
  sampleEntry: 'mp4a',
  configurationBox: 'esds',
  /** Returns the body of an `ESDBox`: version and flags, then the descriptors around the AudioSpecificConfig. */
  configuration([config]) {
    if (config === undefined || config.length === 0 || config.length + 40 > BYTES_MAX) return undefined;
    const decoder = descriptor(TAG.decoderConfiguration, [
      ...[AAC_OBJECT_TYPE, AUDIO_STREAM, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      ...descriptor(TAG.decoderSpecific, [...config]),
    ]);
    const stream = descriptor(TAG.stream, [0, 0, 0, ...decoder, ...descriptor(TAG.synchronization, [2])]);
    return Uint8Array.from([0, 0, 0, 0, ...stream]);
  },
  sample: (parts) => parts[0] ?? new Uint8Array(0),
};

const descriptor = (tag: number, body: readonly number[]): number[] => [tag, body.length, ...body];
