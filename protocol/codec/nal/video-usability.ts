import type { BitReader } from './bit-reader.ts';

/** Beyond these, the timing fields do not hold a picture rate but 0, a placeholder, or a tick of the system clock. */
const PICTURES_PER_SECOND_MIN = 1;
const PICTURES_PER_SECOND_MAX = 1_000;

/** Reads num_units_in_tick and time_scale. @returns ticks per second; not a number without a tick. */
export function readTickRate(reader: BitReader): number {
  const unitsInTick = reader.bits(32);
  return reader.bits(32) / unitsInTick;
}

/** Returns a picture rate if it is one. */
export const plausibleRate = (rate: number): number | undefined =>
  rate >= PICTURES_PER_SECOND_MIN && rate <= PICTURES_PER_SECOND_MAX ? rate : undefined;
