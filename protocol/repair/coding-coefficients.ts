import { TinyMT32 } from './tinymt32.ts';

/** Every coefficient is nonzero: each packet of the window is in the sum (RFC 8681 §3.6). */
export const DENSITY_FULL = 15;

/** What the coefficients of a repair symbol follow from. They need not travel. */
export interface CodingKey {
  /** 0…65535: the seed. Two repair symbols over the same window must differ in it, or they say the same. */
  readonly repairKey: number;
  /** 0…15, "DT" in the RFC: (density + 1) of 16 coefficients are nonzero. */
  readonly density: number;
}

/** Fills `coefficients`, one for each packet of the window in its order, over GF(2^8) (RFC 8681 §3.6). */
export function fillCodingCoefficients(coefficients: Uint8Array, { repairKey, density }: CodingKey): void {
  const random = new TinyMT32(repairKey);
  for (let index = 0; index < coefficients.length; index++) {
    // The low bits of a draw each (RFC 8681 §3.5). A full code draws no first number, so its coefficients are others.
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
