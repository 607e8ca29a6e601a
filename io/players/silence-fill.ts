import type { AccessUnit } from '../../protocol/access-unit.ts';
import { concatenated } from '../../protocol/base/concatenated.ts';
import { type Ticks, ticks } from '../../protocol/base/units.ts';
import type { Codec } from '../../protocol/codec/codec.ts';

/** Longest gap that is filled, 90 kHz (0.1 s): what a player keeps before its output. Filling a longer one would delay all that follows. */
const GAP_MAX = 9_000;

/**
 * Serializer of sound in which a lost unit becomes silence. mpv and ffplay play what is before a gap and what is behind it
 * without a pause, so that the sound would be early, until the pictures have been moved.
 * @param serialize of a unit without regard to the others.
 */
export function fillingSilence(
  { codec, parameterSets: sets }: { readonly codec: Codec; readonly parameterSets: readonly Uint8Array[] },
  serialize: (unit: AccessUnit) => Uint8Array,
): (unit: AccessUnit) => Uint8Array {
  let end: Ticks | undefined;
  return (unit) => {
    const { timestamp, parts } = unit;
    const duration = codec.sound?.durationOf(parts, sets) ?? 0;
    const gap = end === undefined ? 0 : timestamp - end;
    const missing = duration > 0 && gap <= GAP_MAX ? Math.round(gap / duration) : 0;
    const silence = missing > 0 ? codec.sound?.silence(parts, sets) : undefined;
    end = ticks(timestamp + duration);
    if (!silence) return serialize(unit);
    const units = Array.from({ length: missing }, (_, index) => {
      const at = ticks(Math.round(timestamp - (missing - index) * duration));
      return serialize({ ...unit, parts: silence, timestamp: at, decodeTimestamp: at });
    });
    return concatenated([...units, serialize(unit)]);
  };
}
