import { assert } from '../../protocol/base/assert.ts';
import type { FrameTable } from '../frame-table.ts';
import { percentile, sorted } from '../metrics/percentile.ts';
import type { TransportFigures } from '../strategy.ts';
import { FRAME_OUTCOMES, type FrameOutcome, type SummaryRow } from '../tables.ts';
import { type CellSound, soundLabelOf, unitTicksOf } from './cell-sound.ts';
import type { SoundFigures } from './sound-figures.ts';
import { syncErrors } from './sync-error.ts';

/** Observations of the sound of a cell. */
export interface SoundObservations {
  readonly sound: CellSound;
  readonly units: FrameTable;
  /** First row after the warm-up. */
  readonly measuredFrom: number;
  /** `undefined` where the packets of the sound cannot be told apart. */
  readonly figures: TransportFigures | undefined;
}

/** Classes of units that were there when they were due. */
const HEARD: readonly FrameOutcome[] = ['onTime', 'recovered'];

/**
 * Computes the figures of the sound. @param row summary of the pictures, and @param pictures their frames, of which
 * those from `picturesFrom` on count.
 */
export function summarizeCellSound(
  { sound, units, measuredFrom, figures }: SoundObservations,
  {
    row,
    pictures,
    picturesFrom,
  }: { readonly row: SummaryRow; readonly pictures: FrameTable; readonly picturesFrom: number },
): SoundFigures {
  const counts = Object.fromEntries(FRAME_OUTCOMES.map((name) => [name, 0])) as Record<FrameOutcome, number>;
  let bytes = 0;
  for (let unit = measuredFrom; unit < units.length; unit++) {
    counts[units.class(unit)]++;
    bytes += units.bytes(unit);
  }
  const count = Math.max(0, units.length - measuredFrom);
  const gaps = gapLengths(units, measuredFrom);
  const unitMs = unitTicksOf(sound) / 90;
  const lengths = sorted(gaps.map((length) => length * unitMs));
  const concealed = gaps.reduce((sum, length) => sum + length, 0);
  const heard = HEARD.reduce((sum, name) => sum + counts[name], 0);
  assert(heard + concealed === count, 'each unit of sound must be heard or concealed');
  const sync = syncErrors(pictures, units, { pictures: picturesFrom, sound: measuredFrom });
  const { packetsSent, packetsLost, packetsResidual, bytesRetransmission, bytesRepair } = figures ?? {};
  const protection = figures && figures.bytesRetransmission + figures.bytesRepair;
  return {
    sound: soundLabelOf(sound),
    soundUnits: count,
    soundOnTime: counts.onTime,
    soundRecovered: counts.recovered,
    soundLate: counts.late,
    soundMended: counts.mended,
    soundOverdue: counts.overdue,
    soundIncomplete: counts.incomplete,
    soundNeverArrived: counts.neverArrived,
    soundUndecodable: counts.undecodable,
    soundRefused: counts.refused,
    soundConcealedRatio: count === 0 ? 0 : concealed / count,
    soundConcealedMs: concealed * unitMs,
    soundGaps: lengths.length,
    soundGapMsMean: gaps.length === 0 ? null : (concealed * unitMs) / gaps.length,
    soundGapMsP95: percentile(lengths, 0.95),
    soundGapMsMax: percentile(lengths, 1),
    syncUsP50: percentile(sync, 0.5),
    syncUsP95: percentile(sync, 0.95),
    syncUsP99: percentile(sync, 0.99),
    soundPacketsSent: packetsSent ?? null,
    soundPacketsLost: packetsLost ?? null,
    soundPacketsResidual: packetsResidual ?? null,
    soundBytesSource: bytes,
    soundBytesRetransmission: bytesRetransmission ?? null,
    soundBytesRepair: bytesRepair ?? null,
    soundProtection: protection === undefined ? null : protection / Math.max(1, bytes),
    sumUnits: row.frames + count,
    sumInTime: row.framesInTime + heard,
    // Over TCP, the columns of the pictures are those of the connection.
    sumPacketsSent: row.packetsSent + (packetsSent ?? 0),
    sumPacketsLost: row.packetsLost + (packetsLost ?? 0),
    sumBytesSource: row.bytesSource + bytes,
    sumBytesRetransmission: row.bytesRetransmission + (bytesRetransmission ?? 0),
    sumBytesRepair: row.bytesRepair + (bytesRepair ?? 0),
  };
}

/** Lengths of the runs of units that were not there when they were due, in order. */
function gapLengths(units: FrameTable, from: number): readonly number[] {
  const lengths: number[] = [];
  let isGap = false;
  for (let unit = from; unit < units.length; unit++) {
    const isHeard = HEARD.includes(units.class(unit));
    if (!isHeard && isGap) lengths[lengths.length - 1]!++;
    else if (!isHeard) lengths.push(1);
    isGap = !isHeard;
  }
  return lengths;
}
