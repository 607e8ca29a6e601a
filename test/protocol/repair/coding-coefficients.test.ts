import { expect, test } from 'vitest';
import { DENSITY_FULL, fillCodingCoefficients } from '../../../protocol/repair/coding-coefficients.ts';
import { TinyMT32 } from '../../../protocol/repair/tinymt32.ts';

/** RFC 8682 §2.2, figure 2: the first fifty numbers for seed 1. */
const SEED_ONE = [
  2545341989, 981918433, 3715302833, 2387538352, 3591001365, 3820442102, 2114400566, 2196103051, 2783359912, 764534509,
  643179475, 1822416315, 881558334, 4207026366, 3690273640, 3240535687, 2921447122, 3984931427, 4092394160, 44209675,
  2188315343, 2908663843, 1834519336, 3774670961, 3019990707, 4065554902, 1239765502, 4035716197, 3412127188, 552822483,
  161364450, 353727785, 140085994, 149132008, 2547770827, 4064042525, 4078297538, 2057335507, 622384752, 2041665899,
  2193913817, 1080849512, 33160901, 662956935, 642999063, 3384709977, 1723175122, 3866752252, 521822317, 2292524454,
];

/**
 * Their low eight and low four bits, from RFC 8681 appendix A, figures 9 and 10; the coefficients are drawn from them.
 */
const LOW_BYTES_OF_SEED_ONE = [
  37, 225, 177, 176, 21, 246, 54, 139, 168, 237, 211, 187, 62, 190, 104, 135, 210, 99, 176, 11, 207, 35, 40, 113, 179,
  214, 254, 101, 212, 211, 226, 41, 234, 232, 203, 29, 194, 211, 112, 107, 217, 104, 197, 135, 23, 89, 210, 252, 109,
  166,
];

const coefficientsOf = (repairKey: number, density: number, count: number): number[] => {
  const coefficients = new Uint8Array(count);
  fillCodingCoefficients(coefficients, { repairKey, density });
  return [...coefficients];
};

test('TinyMT32 produces the first fifty numbers of RFC 8682 for seed 1', () => {
  const random = new TinyMT32(1);
  expect(SEED_ONE.map(() => random.next())).toEqual(SEED_ONE);
});

test('the coefficients of a full code are the low bytes of the draws (RFC 8681 §3.6)', () => {
  // None of the fifty is zero, so none is drawn again.
  expect(coefficientsOf(1, DENSITY_FULL, 50)).toEqual(LOW_BYTES_OF_SEED_ONE);
});

test('a coefficient of zero is drawn again', () => {
  // The low bytes of the draws for the seed 0 hold a zero among the first few hundred.
  const random = new TinyMT32(0);
  const draws = Array.from({ length: 600 }, () => random.next() & 0xff);
  expect(draws).toContain(0);
  const nonzero = draws.filter((byte) => byte !== 0);
  expect(coefficientsOf(0, DENSITY_FULL, nonzero.length)).toEqual(nonzero);
});

test('a sparse code draws presence first, then the coefficient', () => {
  // For seed 1, the low four bits are 5, 1, 1, 0, 5, 6, 6, 11, 8. With density 4, the first packet (5) is not in the
  // sum; the second (1) has the low byte of the next draw (177), the third (0) has 21; the fourth to sixth (6, 6, 11)
  // and the seventh (8) are not in the sum.
  expect(coefficientsOf(1, 4, 7)).toEqual([0, 177, 21, 0, 0, 0, 0]);
});

test('of sixteen coefficients, density + 1 are nonzero on average', () => {
  for (const density of [0, 3, 7, 14, 15]) {
    const share = (density + 1) / 16;
    const count = 65_536;
    const present = coefficientsOf(4_711, density, count).filter((coefficient) => coefficient !== 0).length;
    expect(Math.abs(present - share * count)).toBeLessThanOrEqual(3 * Math.sqrt(count * share * (1 - share)));
  }
});
