import type { Codec, ParameterSetTracker } from '../codec.ts';

/** Sound kept from before the first picture, 90 kHz (0.1 s): what decoders need to get going. */
export const SOUND_BEFORE_MAX = 9_000;

/** Tracker of a codec whose configuration is outside of its access units. */
const NO_SETS: ParameterSetTracker = { add: () => {}, sets: () => [], holds: () => false };

/**
 * The common part of all sound codecs: each access unit is decoded by itself, so decoding can start at any of them,
 * and the configuration of the decoder is not a part of it.
 */
export const SOUND_UNITS = {
  mediaType: 'audio',
  importanceOf: () => 'key',
  entryOf: () => ({ recoveryFrames: 0, isSafe: true }),
  trackParameterSets: () => NO_SETS,
  withParameterSets: (parts) => parts,
  describe: () => undefined,
  parameterSetsOf: () => [],
} as const satisfies Partial<Codec>;
