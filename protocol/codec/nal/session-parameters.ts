import { base64Bytes } from '../../base/text-codec.ts';

/** Most parameter sets in a session description. */
const PARAMETER_SETS_MAX = 64;

/**
 * Reads the parameter sets from format parameters, as `name=value`, of which any may be unknown: lists of base64
 * (RFC 6184 §8.1, RFC 7798 §7.1).
 * @param names of the parameters with parameter sets, in the order in which a decoder needs them.
 * @returns `undefined` when they are present but invalid.
 */
export function parameterSetsIn(parameters: readonly string[], names: readonly string[]): Uint8Array[] | undefined {
  const sets: Uint8Array[] = [];
  for (const name of names) {
    for (const parameter of parameters) {
      const equals = parameter.indexOf('=');
      if (equals === -1 || parameter.slice(0, equals).trim().toLowerCase() !== name) continue;
      const value = parameter
        .slice(equals + 1)
        .trim()
        .replace(/^"|"$/g, '');
      for (const part of value.split(',')) {
        // ffmpeg ends the list with a comma when there is an SPS and no PPS.
        if (part === '') continue;
        const set = base64Bytes(part.trim());
        if (set === undefined || set.length === 0 || sets.length === PARAMETER_SETS_MAX) return undefined;
        sets.push(set);
      }
    }
  }
  return sets;
}
