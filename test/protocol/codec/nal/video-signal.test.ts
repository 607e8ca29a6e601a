import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { H264 } from '../../../../protocol/codec/h264/h264.ts';
import { parseSequenceParameterSet } from '../../../../protocol/codec/h264/sequence-parameter-set.ts';
import { H265 } from '../../../../protocol/codec/h265/h265.ts';
import { parseH265SequenceParameterSet } from '../../../../protocol/codec/h265/sequence-parameter-set.ts';
import type { VideoSignal } from '../../../../protocol/codec/nal/video-signal.ts';
import { nalStreamOf } from '../../../../protocol/codec/nal-streams.ts';
import { BitWriter } from './bit-writer.ts';

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

/** libx264's set of 160 × 96 at 25 frames per second, whose VUI has timing and restrictions but no signal. */
const X264 = hex('67 64000b ac b2051b602200000300020000030064 1e285490');

/** Sequence parameter set of Baseline 64 × 64 without vui_parameters. */
const WITHOUT = new BitWriter()
  .bits(66, 8)
  .bits(0, 8)
  .bits(30, 8)
  .unsigned(0) // identifier
  .unsigned(0) // bits of frame_num
  .unsigned(2) // type of picture order
  .unsigned(1) // reference frames
  .flag(false)
  .unsigned(3)
  .unsigned(3)
  .flag(true) // frames only
  .flag(true)
  .flag(false) // no cropping
  .flag(false) // no vui_parameters
  .nalUnit(0x67);

/** libx265's set of 64 × 64 at 25 frames per second, whose VUI has nothing but timing. */
const X265 = hex('4201 01016000000300900000030000 03001e a0208105 96566924caf0 1680800000030080 00000c84');

const code = fc.integer({ min: 0, max: 255 });
const side = fc.integer({ min: 1, max: 65_535 });
const colors = fc
  .record({ primaries: code, transfer: code, matrix: code })
  .filter((codes) => Object.values(codes).some((value) => value !== 2));
const signals = fc.record(
  { sampleAspect: fc.record({ width: side, height: side }), color: colors, isFullRange: fc.constant(true) },
  { requiredKeys: [] },
);

describe.each([
  ['H.264 with vui_parameters', H264, X264],
  ['H.264 without', H264, WITHOUT],
  ['HEVC', H265, X265],
])('the signal in a sequence parameter set of %s', (_, codec, set) => {
  const rest = (bytes: Uint8Array) => {
    const parsed = codec === H264 ? parseSequenceParameterSet(bytes) : parseH265SequenceParameterSet(bytes);
    if (!parsed.ok) throw new Error(parsed.malformed);
    const { signal, ...others } = parsed.value;
    return others;
  };

  test('is read as it was written, and nothing else changes', () => {
    const own = codec.describe([set])!.signal;
    fc.assert(
      fc.property(signals, (signal) => {
        const amended = nalStreamOf(codec).withSignal(set, signal as VideoSignal);
        expect(codec.describe([amended])!.signal).toMatchObject({ ...own, ...signal });
        expect(rest(amended)).toEqual(rest(set));
        // No start code, and no zero at the end.
        expect([...amended].join(' ')).not.toMatch(/\b0 0 [012]\b/);
        expect(amended.at(-1)).not.toBe(0);
      }),
    );
  });

  test('is replaced, not repeated', () => {
    const { withSignal } = nalStreamOf(codec);
    const wide = withSignal(set, { sampleAspect: { width: 16, height: 11 } });
    expect(withSignal(wide, { sampleAspect: { width: 16, height: 11 } })).toEqual(wide);
    expect(withSignal(wide, { sampleAspect: { width: 12, height: 11 } })).toHaveLength(wide.length);
  });
});

test('a set that cannot be read stays as it is', () => {
  const { withSignal } = nalStreamOf(H264);
  const damaged = X264.subarray(0, 5);
  expect(withSignal(damaged, { sampleAspect: { width: 4, height: 3 } })).toBe(damaged);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), signals, (bytes, signal) => {
      for (const codec of [H264, H265]) nalStreamOf(codec).withSignal(bytes, signal as VideoSignal);
    }),
  );
});

describe('the display orientation message', () => {
  test.each([
    [90, '06 2f 03 18 00 09 80', '4e 01 2f 03 18 00 18 80'],
    [180, '06 2f 03 10 00 09 80', '4e 01 2f 03 10 00 18 80'],
    [270, '06 2f 03 08 00 09 80', '4e 01 2f 03 08 00 18 80'],
  ] as const)('for %i° clockwise, in H.264 and HEVC', (rotation, h264, h265) => {
    expect(nalStreamOf(H264).orientation(rotation)).toEqual(hex(h264));
    expect(nalStreamOf(H265).orientation(rotation)).toEqual(hex(h265));
  });
});
