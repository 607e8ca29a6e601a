import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FrameReleases } from '../../bench/peers/frame-releases.ts';
import { MarkedUnitReader, markedUnit } from '../../bench/peers/marked-unit.ts';
import { markedPayload, PAYLOAD_BYTES, payloadMark } from '../../bench/peers/workload.ts';
import { joinAnnexB } from '../../protocol/codec/nal/annex-b.ts';

test('a payload identifies itself', () => {
  const payload = markedPayload({ frame: 70_000, index: 11 });
  expect(payload).toHaveLength(PAYLOAD_BYTES);
  expect(payloadMark(payload)).toEqual({ frame: 70_000, index: 11 });
});

test('a payload of another length or without mark is ignored', () => {
  expect(payloadMark(markedPayload({ frame: 1, index: 1 }).subarray(1))).toBeUndefined();
  expect(payloadMark(new Uint8Array(PAYLOAD_BYTES))).toBeUndefined();
  expect(payloadMark(markedPayload({ frame: 1, index: 12 }))).toBeUndefined();
});

test('a frame is released with the last of its payloads, in any order', () => {
  const releases = new FrameReleases();
  for (const [index, at] of [
    [11, 100],
    [0, 110],
    [5, 130],
  ] as const) {
    releases.add({ frame: 3, index }, at);
  }
  expect(releases.records).toEqual([[3, 3, 130]]);
});

test('a duplicate payload neither counts nor delays', () => {
  const releases = new FrameReleases();
  releases.add({ frame: 3, index: 0 }, 100);
  releases.add({ frame: 3, index: 0 }, 900);
  expect(releases.records).toEqual([[3, 1, 100]]);
});

test('a duplicate frame keeps the first time', () => {
  const releases = new FrameReleases();
  releases.addWhole(7, 100);
  releases.addWhole(7, 200);
  expect(releases.records).toEqual([[7, 12, 100]]);
});

test('frames are read from an Annex B stream cut at any place', () => {
  const stream = Buffer.concat([29, 30, 31].map((frame) => joinAnnexB(markedUnit(frame).parts)));
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: stream.length - 1 }), { maxLength: 12 }), (cuts) => {
      const ends = [...cuts.sort((a, b) => a - b), stream.length];
      const reader = new MarkedUnitReader();
      const frames: number[] = [];
      let from = 0;
      for (const end of ends) {
        frames.push(...reader.push(stream.subarray(from, end)));
        from = end;
      }
      expect(frames).toEqual([29, 30, 31]);
    }),
    { numRuns: 50 },
  );
});

test('a frame is complete with its last byte, and parameter sets are skipped', () => {
  const parameterSets = [Uint8Array.of(0x67, 1, 2, 3), Uint8Array.of(0x68, 1)];
  const stream = joinAnnexB([...parameterSets, ...markedUnit(30).parts]);
  const reader = new MarkedUnitReader();
  expect(reader.push(stream.subarray(0, -1))).toEqual([]);
  expect(reader.push(stream.subarray(-1))).toEqual([30]);
});
