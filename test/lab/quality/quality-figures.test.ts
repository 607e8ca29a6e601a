import { expect, test } from 'vitest';
import { readStatistics, readVmaf } from '../../../lab/quality/compare-streams.ts';
import { frameQualities, qualityFigures } from '../../../lab/quality/quality-figures.ts';
import { NOTHING } from '../../../lab/quality/slot-plan.ts';

const same = { psnr: Number.POSITIVE_INFINITY, ssim: 1, vmaf: null };
const plan = (onScreen: number[]) => ({ rows: Int32Array.from(onScreen.keys()), onScreen: Int32Array.from(onScreen) });

test('identical pictures have infinite PSNR, and count 60 dB in the mean', () => {
  expect(qualityFigures(plan([0, 1, 2]), [same, same, same], 0)).toMatchObject({
    ...{ slots: 3, slotsIdentical: 3, slotsRepeated: 0, slotsBlank: 0 },
    ...{ psnrDb: Number.POSITIVE_INFINITY, psnrMeanDb: 60, psnrDbP1: Number.POSITIVE_INFINITY, ssimMean: 1 },
    vmafMean: null,
  });
});

test('the PSNR of all slots is that of the mean error: one slot of 20 dB among four gives 26 dB', () => {
  const scores = [same, { psnr: 20, ssim: 0.6, vmaf: null }, same, same];
  const figures = qualityFigures(plan([0, 0, 2, 3]), scores, 0);
  // A hundredth of the error, divided by four: 10·log10(400).
  expect(figures.psnrDb).toBe(26.021);
  expect(figures).toMatchObject({ psnrMeanDb: 50, psnrDbP5: 20, ssimMean: 0.9, ssimP1: 0.6, slotsRepeated: 1 });
});

test('warm-up slots do not count', () => {
  const scores = [{ psnr: 8, ssim: 0.1, vmaf: null }, same, same];
  const figures = qualityFigures(plan([NOTHING, 1, 2]), scores, 1);
  expect(figures).toMatchObject({ slots: 2, slotsBlank: 0, psnrDb: Number.POSITIVE_INFINITY });
  expect(qualityFigures(plan([NOTHING, 1, 2]), scores, 0)).toMatchObject({ slots: 3, slotsBlank: 1, slotsRepeated: 1 });
});

test('the harmonic mean of VMAF is that of libvmaf, where a zero does not dominate', () => {
  const scores = [99, 0].map((vmaf) => ({ ...same, vmaf }));
  const { vmafMean, vmafHarmonicMean, vmafP1 } = qualityFigures(plan([0, 1]), scores, 0);
  expect([vmafMean, vmafP1]).toEqual([49.5, 0]);
  expect(vmafHarmonicMean).toBeCloseTo(2 / (1 / 100 + 1) - 1, 4);
});

test('each frame is paired with the frame on the screen in its slot', () => {
  const rows = Int32Array.of(0, 2, 1);
  const scores = [same, { psnr: 20, ssim: 0.5, vmaf: null }, same];
  const frames = frameQualities({ rows, onScreen: Int32Array.of(0, 0, 2) }, scores);
  expect(frames.map(({ shownFrame }) => shownFrame)).toEqual([0, 1, 0]);
  expect(frames[2]).toEqual({ shownFrame: 0, psnrDb: 20, ssim: 0.5, vmaf: null });
  expect(frameQualities(plan([NOTHING]), [same])[0]?.shownFrame).toBeNull();
});

test("ffmpeg's statistics and libvmaf's log are parsed by field name", () => {
  const psnr =
    'n:1 mse_avg:0.00 psnr_avg:inf psnr_y:inf psnr_u:inf \nn:2 mse_avg:3.1 psnr_avg:43.2 psnr_y:41.25 psnr_u:50\n';
  expect(readStatistics(psnr, 'psnr_y')).toEqual([Number.POSITIVE_INFINITY, 41.25]);
  expect(readStatistics('n:1 Y:0.998 U:1.000 V:1.000 All:0.999 (30.1)\n', 'Y')).toEqual([0.998]);
  const log = { version: '2', frames: [{ frameNum: 0, metrics: { integer_motion: 0, vmaf: 97.4 } }] };
  expect(readVmaf(JSON.stringify(log))).toEqual([97.4]);
});
