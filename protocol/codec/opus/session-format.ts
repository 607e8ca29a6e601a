import type { SessionFormat } from '../codec.ts';
import { OPUS_CLOCK_RATE, parseOpusHead, serializeOpusHead } from './opus-head.ts';

/** Samples of 48 kHz that a decoder discards when nothing says how many: those of libopus, 6.5 ms. */
const PRE_SKIP_DEFAULT = 312;

const head = (channels: number): Uint8Array =>
  serializeOpusHead({
    channels,
    preSkip: PRE_SKIP_DEFAULT,
    inputRate: OPUS_CLOCK_RATE,
    gain: 0,
    mappingFamily: 0,
    mappingTable: new Uint8Array(0),
  });

/** Opus in session descriptions (RFC 7587 §7). */
export const OPUS_SESSION: SessionFormat = {
  encodingName: 'opus',
  /** Always 2, whatever the stream has (RFC 7587 §7). */
  channels: () => 2,

  formatParameters(sets) {
    const channels = (sets[0] && parseOpusHead(sets[0]))?.channels ?? 2;
    return channels === 1 ? [] : ['sprop-stereo=1', 'stereo=1'];
  },

  parameterSetsIn(parameters) {
    const isStereo = parameters.some((parameter) => parameter.trim().toLowerCase() === 'sprop-stereo=1');
    return [head(isStereo ? 2 : 1)];
  },
};
