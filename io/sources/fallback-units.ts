import type { AccessUnit } from '../../protocol/access-unit.ts';
import { CLOCK_RATE, ticks } from '../../protocol/base/units.ts';
import type { MediaSource } from './media-source.ts';

/** Source in place of an encoder that keeps failing. */
export interface Fallback {
  readonly source: MediaSource;
  /** Media time of its zero, seconds. */
  readonly startSeconds: number;
}

/** Opens the fallback source at about this position, seconds. */
export type OpenFallback = (fromSeconds: number) => Promise<Fallback>;

/** Description of the fallback source's work, for a warning. */
export const fallbackText = ({ source }: Fallback): string => {
  const how = source.description.mode === 'copy' ? 'it is copied from its next key frame on' : 'ffmpeg continues';
  return `${how}, and the bit rate no longer adapts`;
};

/** The access units of a fallback source, from its first key frame at or behind this media time, 90 kHz. */
export async function* fallbackUnits({ source, startSeconds }: Fallback, place: number): AsyncGenerator<AccessUnit> {
  const offset = startSeconds * CLOCK_RATE;
  let entered = false;
  for await (const unit of source.units()) {
    const timestamp = ticks(Math.round(unit.timestamp + offset));
    const decodeTimestamp = ticks(Math.round(unit.decodeTimestamp + offset));
    entered ||= unit.importance === 'key' && decodeTimestamp >= place;
    if (entered) yield { ...unit, timestamp, decodeTimestamp };
  }
}
