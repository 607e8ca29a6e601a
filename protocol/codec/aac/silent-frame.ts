import type { AudioSpecificConfig } from './audio-specific-config.ts';

/** Syntactic elements of a raw data block (ISO/IEC 14496-3 table 4.85): identifier of three bits. */
const ID = { single: 0, pair: 1, lowFrequency: 3, end: 7 } as const;

type Element = readonly [id: number, tag: number];
const PAIRS: readonly Element[] = [
  [ID.pair, 0],
  [ID.pair, 1],
  [ID.pair, 2],
];
const CENTER: Element = [ID.single, 0];
const BACK: Element = [ID.single, 1];
const LOW_FREQUENCY: Element = [ID.lowFrequency, 0];
/** Elements of the channel configurations 0 … 7 (table 1.19). */
const ELEMENTS: readonly (readonly Element[] | undefined)[] = [
  undefined,
  [CENTER],
  PAIRS.slice(0, 1),
  [CENTER, ...PAIRS.slice(0, 1)],
  [CENTER, ...PAIRS.slice(0, 1), BACK],
  [CENTER, ...PAIRS.slice(0, 2)],
  [CENTER, ...PAIRS.slice(0, 2), LOW_FREQUENCY],
  [CENTER, ...PAIRS, LOW_FREQUENCY],
];

/** Bits of an individual channel stream without a scale factor band: global gain, and no pulse, noise shaping or gain control. */
const GAIN_BITS = 8;
const TOOL_BITS = 3;
/** Bits of the information on a long window of a sine (table 4.6): reserved, sequence, shape, bands, prediction. */
const WINDOW_BITS = 11;
const MASK_BITS = 2;

/**
 * Returns a frame of silence (ISO/IEC 14496-3 §4.4.2.1), whose window lets the frame before it fade out; `undefined` when only
 * the stream tells its channels. All fields but identifiers and tags are 0, but that a pair has one window for both channels.
 */
export function silentAacFrame({ objectType, channelConfiguration }: AudioSpecificConfig): Uint8Array | undefined {
  const elements = ELEMENTS[channelConfiguration];
  if (!elements || objectType !== AAC_LC) return undefined;
  let bits = '';
  for (const [id, tag] of elements) {
    bits += id.toString(2).padStart(3, '0') + tag.toString(2).padStart(4, '0');
    const channel = '0'.repeat(GAIN_BITS + TOOL_BITS);
    bits +=
      id === ID.pair
        ? `1${'0'.repeat(WINDOW_BITS + MASK_BITS)}${channel}${channel}`
        : channel + '0'.repeat(WINDOW_BITS);
  }
  bits += ID.end.toString(2);
  const bytes = new Uint8Array(Math.ceil(bits.length / 8));
  for (let at = 0; at < bits.length; at++) bytes[at >> 3]! |= Number(bits[at]) << (7 - (at & 7));
  return bytes;
}

const AAC_LC = 2;
