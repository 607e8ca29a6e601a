import { describe, expect, test } from 'vitest';
import { H264ParameterSetTracker, withParameterSets } from '../../../../protocol/codec/h264/parameter-sets.ts';
import { DELIMITER, pictureSet, sequenceSet, slice, USER_DATA } from './streams.ts';

const SPS = sequenceSet();
const PPS = pictureSet();
const SETS = [SPS, PPS];
const IDR = slice({ idr: true, type: 'I', lsb: 0 });
const P = slice({ frameNumber: 1, lsb: 2 });

describe('ParameterSetTracker', () => {
  test('keeps the latest set of each identifier, sequence parameter sets first', () => {
    const tracker = new H264ParameterSetTracker();
    const second = pictureSet({ id: 1 });
    const replaced = pictureSet({ redundant: true });
    for (const nalUnit of [second, PPS, SPS, IDR, replaced, new Uint8Array(0)]) tracker.add(nalUnit);
    expect(tracker.sets()).toEqual([SPS, replaced, second]);
  });

  test('keeps copies', () => {
    const tracker = new H264ParameterSetTracker();
    const sps = SPS.slice();
    tracker.add(sps);
    sps.fill(0);
    expect(tracker.sets()).toEqual([SPS]);
  });

  test('ignores sets truncated before their identifier, or with an invalid one', () => {
    const tracker = new H264ParameterSetTracker();
    tracker.add(SPS.slice(0, 3));
    tracker.add(Uint8Array.of(0x67, 77, 0, 10, 0x04, 0x20));
    expect(tracker.sets()).toEqual([]);
  });
});

describe('withParameterSets', () => {
  test('inserts the sets into an IDR access unit without any, after its delimiter', () => {
    expect(withParameterSets([DELIMITER, USER_DATA, IDR], SETS)).toEqual([DELIMITER, SPS, PPS, USER_DATA, IDR]);
    expect(withParameterSets([IDR], SETS)).toEqual([SPS, PPS, IDR]);
  });

  test('adds only the picture parameter sets after an existing sequence parameter set', () => {
    const own = sequenceSet({ reorderFrames: 1 });
    expect(withParameterSets([DELIMITER, own, IDR], SETS)).toEqual([DELIMITER, own, PPS, IDR]);
  });

  test('adds all when the access unit has only a picture parameter set, which stays last and in force', () => {
    const own = pictureSet({ redundant: true });
    expect(withParameterSets([DELIMITER, own, IDR], SETS)).toEqual([DELIMITER, SPS, PPS, own, IDR]);
  });

  test('returns other access units unchanged', () => {
    const whole = [SPS, PPS, IDR];
    expect(withParameterSets(whole, SETS)).toBe(whole);
    const other = [P];
    expect(withParameterSets(other, SETS)).toBe(other);
    const unknown = [IDR];
    expect(withParameterSets(unknown, [])).toBe(unknown);
  });

  test('inserts into an access unit that is not IDR on request', () => {
    expect(withParameterSets([P], SETS, true)).toEqual([SPS, PPS, P]);
  });
});
