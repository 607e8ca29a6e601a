import { expect, test } from 'vitest';
import { browserNeeds } from '../../../session/whep/browser-needs.ts';
import { sourceOf } from '../../loopback-session.ts';
import { sequenceSet } from '../../protocol/codec/h264/streams.ts';

const needOf = (codecName: 'h264' | 'av1', parameterSets: readonly Uint8Array[] = []) =>
  browserNeeds({ description: { ...sourceOf([]).description, codecName, parameterSets }, sound: undefined }).pictures;

test('H.264 of 8-bit 4:2:0 without B-frames passes through', () => {
  expect(needOf('h264', [sequenceSet()])).toBeUndefined();
  expect(needOf('h264', [sequenceSet({ profile: 100, chroma: [1, 8] })])).toBeUndefined();
  expect(needOf('h264', [sequenceSet({ reorderFrames: 2 })])).toBe('H.264 with B-frames');
});

test('AV1 passes through, as it cannot be fed to the encoder', () => {
  expect(needOf('av1')).toBeUndefined();
});

test.each([
  ['monochrome', 100, [0, 8]],
  ['10 bits', 110, [1, 10]],
  ['4:2:2', 122, [2, 8]],
] as const)('H.264 of %s is encoded anew', (_, profile, chroma) => {
  expect(needOf('h264', [sequenceSet({ profile, chroma })])).toBe('H.264 beyond 8-bit 4:2:0');
});
