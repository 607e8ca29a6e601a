import type { MediaSource } from '../../../io/sources/media-source.ts';
import type { AccessUnit } from '../../../protocol/access-unit.ts';

/** Reads the first frames of a source. @param each called after each of them with their number. */
export async function take(
  source: MediaSource,
  frames: number,
  each: (frame: number) => void = () => {},
): Promise<AccessUnit[]> {
  const units: AccessUnit[] = [];
  for await (const unit of source.units()) {
    units.push(unit);
    if (units.length >= frames) break;
    each(units.length);
  }
  return units;
}
