import { describe, expect, test } from 'vitest';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import { ticks } from '../../../protocol/base/units.ts';
import { H264 } from '../../../protocol/codec/h264/h264.ts';
import { JoinableUnits } from '../../../protocol/codec/joinable-units.ts';
import { hex } from '../bytes.ts';

const SPS = hex('6742c01ed900a03da1');
const PPS = hex('68cb83cb20');
const OTHER_PPS = hex('68cb83cb21');
const IDR = hex('6588');
const SLICE = hex('4188');
/** Supplemental enhancement information. */
const SEI_TYPE = 6;

const unit = (importance: AccessUnit['importance'], ...parts: Uint8Array[]): AccessUnit => ({
  parts,
  timestamp: ticks(0),
  decodeTimestamp: ticks(0),
  importance,
});
const key = unit('key', IDR);

describe('a key frame', () => {
  test('gets the parameter sets that were announced', () => {
    const units = new JoinableUnits({ codec: H264, parameterSets: [SPS, PPS], rotation: undefined });
    expect(units.of(key).parts).toEqual([SPS, PPS, IDR]);
  });

  test('gets those in force, which the stream has changed', () => {
    const units = new JoinableUnits({ codec: H264, parameterSets: [SPS, PPS], rotation: undefined });
    units.learn(unit('key', OTHER_PPS, IDR));
    expect(units.of(key).parts).toEqual([SPS, OTHER_PPS, IDR]);
  });

  test('says how it is rotated, in front of its first slice', () => {
    const { parts } = new JoinableUnits({ codec: H264, parameterSets: [SPS, PPS], rotation: 90 }).of(key);
    expect(parts.map((part) => part[0]! & 0x1f)).toEqual([7, 8, SEI_TYPE, 5]);
    expect(parts.at(-1)).toEqual(IDR);
  });
});

test('any other frame is sent as it is', () => {
  const units = new JoinableUnits({ codec: H264, parameterSets: [SPS, PPS], rotation: 90 });
  const frame = unit('reference', SLICE);
  expect(units.of(frame)).toBe(frame);
});
