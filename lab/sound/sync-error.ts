import type { FrameTable } from '../frame-table.ts';
import { type Sorted, sorted } from '../metrics/percentile.ts';

/** A row that was shown or heard, microseconds. */
interface Played {
  readonly at: number;
  /** Time since its capture. */
  readonly lag: number;
}

/**
 * Distance between the time of the picture that is shown and that of the sound that is heard with it, microseconds,
 * ascending: one for each picture shown after the first sound. Both were captured on one clock, so it is the difference of
 * their lags. Concealed sound goes on from the last unit heard, as it does in a player.
 * @param from first row of each table that counts.
 */
export function syncErrors(
  pictures: FrameTable,
  sound: FrameTable,
  from: { readonly pictures: number; readonly sound: number },
): Sorted {
  const shown = played(pictures, from.pictures);
  const heard = played(sound, from.sound);
  const errors: number[] = [];
  let last = -1;
  for (const { at, lag } of shown) {
    while (last + 1 < heard.length && heard[last + 1]!.at <= at) last++;
    if (last >= 0) errors.push(Math.abs(lag - heard[last]!.lag));
  }
  return sorted(errors);
}

/** Rows that were played, in the order in which they were. */
function played(table: FrameTable, from: number): readonly Played[] {
  const rows: Played[] = [];
  for (let row = from; row < table.length; row++) {
    const at = table.time(row, 'renderedAt');
    if (!Number.isNaN(at)) rows.push({ at, lag: at - table.time(row, 'capturedAt') });
  }
  return rows.sort((one, other) => one.at - other.at);
}
