/** Codecs of synthetic sound. */
export const SYNTHETIC_SOUNDS = ['opus', 'aac'] as const;

/** Name of a codec of synthetic sound. */
export type SyntheticSoundCodec = (typeof SYNTHETIC_SOUNDS)[number];
