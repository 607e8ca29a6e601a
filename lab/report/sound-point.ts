import { type Interval, pooledShare } from './interval.ts';
import { mean, type OperatingPoint, sum } from './operating-point.ts';

/** The sound of an operating point, pooled over its seeds. */
export interface SoundPoint {
  readonly units: number;
  readonly concealed: number;
  readonly share: Interval;
  readonly gaps: number;
  /** Milliseconds: the mean over seeds, and the longest of all; `undefined` without gaps. */
  readonly gapMsMean: number | undefined;
  readonly gapMsMax: number | undefined;
  /** Milliseconds, means over seeds; `undefined` when a seed showed no picture. */
  readonly syncMsP50: number | undefined;
  readonly syncMsP95: number | undefined;
  readonly syncMsP99: number | undefined;
  /** Share of the bytes of the sound; `undefined` over TCP. */
  readonly protection: number | undefined;
}

/** Returns the sound of a point; `undefined` when its rows have none. */
export function soundOf({ rows }: OperatingPoint): SoundPoint | undefined {
  const counts = rows.flatMap(({ soundUnits, sumInTime, framesInTime }) => {
    if (soundUnits == null || sumInTime == null) return [];
    return [{ count: soundUnits - (sumInTime - framesInTime), of: soundUnits }];
  });
  const units = sum(counts.map(({ of }) => of));
  if (units === 0) return undefined;
  const concealed = sum(counts.map(({ count }) => count));
  const gaps = sum(rows.map(({ soundGaps }) => soundGaps ?? 0));
  const inMs = (name: 'syncUsP50' | 'syncUsP95' | 'syncUsP99') => {
    const us = mean(rows.map((row) => row[name] ?? null));
    return us === undefined ? undefined : us / 1_000;
  };
  return {
    units,
    concealed,
    share: pooledShare(counts),
    gaps,
    gapMsMean: gaps === 0 ? undefined : sum(rows.map(({ soundConcealedMs }) => soundConcealedMs ?? 0)) / gaps,
    gapMsMax: gaps === 0 ? undefined : Math.max(...rows.map(({ soundGapMsMax }) => soundGapMsMax ?? 0)),
    syncMsP50: inMs('syncUsP50'),
    syncMsP95: inMs('syncUsP95'),
    syncMsP99: inMs('syncUsP99'),
    protection: mean(rows.map(({ soundProtection }) => soundProtection ?? null)),
  };
}
