import { TinyMT32 } from './tinymt32.ts';

/** Density with all coefficients nonzero: each packet of the window is in the sum (RFC 8681 §3.6). */
export const DENSITY_FULL = 15;

/** Inputs of the coefficients of a repair symbol, so that the coefficients need not be transmitted. */
export interface CodingKey {
  /** Seed, 0…65535. Repair symbols over the same window need different seeds, otherwise they are equal. */
  readonly repairKey: number;
  /** 0…15, "DT" in the RFC: (density + 1) of 16 coefficients are nonzero. */
  readonly density: number;
}

/** Fills `coefficients`, one per packet of the window in order, over GF(2^8): what makes a code of the sums of packets. */
export type CoefficientRule = (coefficients: Uint8Array, key: CodingKey) => void;

/** The rule of the sliding-window code (RFC 8681 §3.6). */
export function fillCodingCoefficients(coefficients: Uint8Array, { repairKey, density }: CodingKey): void {
  const random = new TinyMT32(repairKey);
  for (let index = 0; index < coefficients.length; index++) {
    // Each draw uses the low bits only (RFC 8681 §3.5). A full code skips the first draw, so its coefficients differ.
    const present = density === DENSITY_FULL || (random.next() & 0x0f) <= density;
    coefficients[index] = present ? nonzeroByte(random) : 0;
  }
}

function nonzeroByte(random: TinyMT32): number {
  for (;;) {
    const byte = random.next() & 0xff;
    if (byte !== 0) return byte;
  }
}
