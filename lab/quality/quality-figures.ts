import { percentile, sorted } from '../metrics/percentile.ts';
import type { ColumnKind } from '../store/columns.ts';
import type { SlotScore } from './compare-streams.ts';
import { NOTHING, type SlotPlan } from './slot-plan.ts';

/** Quality of the displayed stream relative to its source, over the slots after the warm-up. */
export interface QualityFigures {
  /** Slots, one per source picture; those that show another picture; those of them that show none yet. */
  readonly slots: number;
  readonly slotsRepeated: number;
  readonly slotsBlank: number;
  /** Slots with luma identical to the source. */
  readonly slotsIdentical: number;
  /** PSNR of the mean square error over all slots, dB; `Infinity` when all are identical. */
  readonly psnrDb: number | null;
  /** Mean of the slots' PSNR, capped at 60 dB (as in libvmaf, 8 bits). */
  readonly psnrMeanDb: number | null;
  readonly psnrDbP5: number | null;
  readonly psnrDbP1: number | null;
  readonly ssimMean: number | null;
  readonly ssimP5: number | null;
  readonly ssimP1: number | null;
  /** Also `null` when ffmpeg lacks VMAF. */
  readonly vmafMean: number | null;
  readonly vmafHarmonicMean: number | null;
  readonly vmafP5: number | null;
  readonly vmafP1: number | null;
}

export const QUALITY_COLUMNS: { readonly [Name in keyof QualityFigures]-?: ColumnKind } = {
  slots: 'whole',
  slotsRepeated: 'whole',
  slotsBlank: 'whole',
  slotsIdentical: 'whole',
  psnrDb: 'real',
  psnrMeanDb: 'real',
  psnrDbP5: 'real',
  psnrDbP1: 'real',
  ssimMean: 'real',
  ssimP5: 'real',
  ssimP1: 'real',
  vmafMean: 'real',
  vmafHarmonicMean: 'real',
  vmafP5: 'real',
  vmafP1: 'real',
};

/** Quality columns of a frame. */
export interface FrameQuality {
  /** Frame on the screen in this frame's slot; `null` when none yet. */
  readonly shownFrame: number | null;
  readonly psnrDb: number | null;
  readonly ssim: number | null;
  readonly vmaf: number | null;
}

export const FRAME_QUALITY_COLUMNS: { readonly [Name in keyof FrameQuality]-?: ColumnKind } = {
  shownFrame: 'whole',
  psnrDb: 'real',
  ssim: 'real',
  vmaf: 'real',
};

/** PSNR cap of libvmaf for 8 bits: 6 dB per bit plus 12. */
const PSNR_DB_MAX = 60;

/** @param measuredFrom first row of the frame table that counts. */
export function qualityFigures(
  { rows, onScreen }: Pick<SlotPlan, 'rows' | 'onScreen'>,
  scores: readonly SlotScore[],
  measuredFrom: number,
): QualityFigures {
  const slots = [...rows.keys()].filter((slot) => rows[slot]! >= measuredFrom);
  const those = slots.map((slot) => scores[slot]!);
  const psnr = those.map((score) => score.psnr);
  const ssim = those.map((score) => score.ssim);
  const vmaf = those.flatMap((score) => score.vmaf ?? []);
  return {
    slots: slots.length,
    slotsRepeated: slots.filter((slot) => onScreen[slot] !== slot).length,
    slotsBlank: slots.filter((slot) => onScreen[slot] === NOTHING).length,
    slotsIdentical: psnr.filter((value) => value === Number.POSITIVE_INFINITY).length,
    psnrDb: rounded(ofMeanError(psnr), 3),
    psnrMeanDb: rounded(mean(psnr.map((value) => Math.min(value, PSNR_DB_MAX))), 3),
    psnrDbP5: percentile(sorted(psnr), 0.05),
    psnrDbP1: percentile(sorted(psnr), 0.01),
    ssimMean: rounded(mean(ssim), 6),
    ssimP5: percentile(sorted(ssim), 0.05),
    ssimP1: percentile(sorted(ssim), 0.01),
    vmafMean: rounded(mean(vmaf), 4),
    vmafHarmonicMean: rounded(harmonicMean(vmaf), 4),
    vmafP5: percentile(sorted(vmaf), 0.05),
    vmafP1: percentile(sorted(vmaf), 0.01),
  };
}

/** Returns the scores by row of the frame table. */
export function frameQualities(
  { rows, onScreen }: Pick<SlotPlan, 'rows' | 'onScreen'>,
  scores: readonly SlotScore[],
): FrameQuality[] {
  const byRow = new Array<FrameQuality>(rows.length);
  for (const [slot, row] of rows.entries()) {
    const { psnr, ssim, vmaf } = scores[slot]!;
    byRow[row] = { shownFrame: rows[onScreen[slot]!] ?? null, psnrDb: psnr, ssim, vmaf };
  }
  return byRow;
}

/** Converts PSNR to relative square errors, averages them, and converts back. */
function ofMeanError(psnr: readonly number[]): number | null {
  const error = mean(psnr.map((value) => 10 ** (-value / 10)));
  return error === null ? null : error === 0 ? Number.POSITIVE_INFINITY : -10 * Math.log10(error);
}

const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;

/** Harmonic mean of libvmaf: of values plus one, so a zero does not dominate. */
function harmonicMean(values: readonly number[]): number | null {
  const inverse = mean(values.map((value) => 1 / (value + 1)));
  return inverse === null ? null : 1 / inverse - 1;
}

/** Rounds, because engines differ in the last digits of a logarithm. */
const rounded = (value: number | null, digits: number): number | null =>
  value === null || !Number.isFinite(value) ? value : Number(value.toFixed(digits));
