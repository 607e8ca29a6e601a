import type { BitReader } from '../nal/bit-reader.ts';

/** General profile, tier and level of a stream (H.265 §7.3.3). */
export interface ProfileTierLevel {
  /** general_profile_space, 0 to 3; 0 in every profile so far. */
  readonly profileSpace: number;
  /** True for the High tier. */
  readonly highTier: boolean;
  /** general_profile_idc: 1 Main, 2 Main 10, 4 range extensions. */
  readonly profile: number;
  /** general_profile_compatibility_flag[0] (the most significant bit) to [31]. */
  readonly compatibility: number;
  /** Six bytes of constraint flags, from general_progressive_source_flag. */
  readonly constraints: readonly number[];
  /** Thirty times the level: 93 is level 3.1. */
  readonly level: number;
}

/** Parses profile_tier_level with its profile, and skips that of `subLayers` further sub-layers, 0 to 6. */
export function readProfileTierLevel(reader: BitReader, subLayers: number): ProfileTierLevel {
  const profileSpace = reader.bits(2);
  const highTier = reader.flag();
  const profile = reader.bits(5);
  const compatibility = reader.bits(32);
  const constraints = Array.from({ length: 6 }, () => reader.bits(8));
  const level = reader.bits(8);
  const present = Array.from({ length: subLayers }, () => ({ profile: reader.flag(), level: reader.flag() }));
  if (subLayers > 0) reader.bits(2 * (8 - subLayers)); // reserved_zero_2bits
  for (const subLayer of present) {
    if (subLayer.profile) for (let byte = 0; byte < 11; byte += 1) reader.bits(8);
    if (subLayer.level) reader.bits(8);
  }
  return { profileSpace, highTier, profile, compatibility, constraints, level };
}

/**
 * Returns the decoder string (ISO/IEC 14496-15 §E.3, RFC 6381): `hvc1.1.6.L93.B0`. Sample entry, profile space and
 * profile, compatibility flags in reverse bit order in hexadecimal, tier and level, and constraint bytes without the
 * zeros at their end.
 */
export function h265DecoderString(sampleEntry: string, format: ProfileTierLevel): string {
  const { profileSpace, highTier, profile, compatibility, constraints, level } = format;
  const space = ['', 'A', 'B', 'C'][profileSpace]!;
  let reversed = 0;
  for (let bit = 0; bit < 32; bit += 1) reversed = reversed * 2 + ((compatibility >>> bit) & 1);
  const used = constraints.slice(0, constraints.findLastIndex((byte) => byte !== 0) + 1);
  return [
    sampleEntry,
    `${space}${profile}`,
    upperHex(reversed),
    `${highTier ? 'H' : 'L'}${level}`,
    ...used.map(upperHex),
  ].join('.');
}

const upperHex = (value: number): string => value.toString(16).toUpperCase();
