import { describe, expect, test } from 'vitest';
import type { Importance } from '../../../protocol/access-unit.ts';
import { type Instant, instant, milliseconds } from '../../../protocol/base/units.ts';
import { type AdmissionTerms, FrameAdmission } from '../../../sender/rate/frame-admission.ts';

const at = (ms: number): Instant => instant(milliseconds(ms));
/** 100 bytes per millisecond. */
const TERMS: AdmissionTerms = {
  limit: 100_000,
  patience: milliseconds(100),
  frameInterval: milliseconds(40),
  waiting: 0,
  showsDamaged: false,
};

/** Offers frames, sends the admitted ones, and records them. */
class Gate {
  readonly #admission = new FrameAdmission();

  offer(ms: number, importance: Importance, bytes: number, terms: Partial<AdmissionTerms> = {}): boolean {
    const admitted = this.#admission.admit(at(ms), { importance, bytes }, { ...TERMS, ...terms });
    if (admitted) this.#admission.spend(bytes);
    return admitted;
  }
}

describe('a frame is sent', () => {
  test('always, without a limit', () => {
    const gate = new Gate();
    for (let ms = 0; ms < 300; ms += 33) expect(gate.offer(ms, 'discardable', 50_000, { limit: undefined })).toBe(true);
  });

  test('when it passes the bottleneck in time behind the frames sent before', () => {
    const gate = new Gate();
    expect(gate.offer(0, 'key', 6_000)).toBe(true);
    expect(gate.offer(0, 'reference', 4_000)).toBe(true);
    expect(gate.offer(0, 'reference', 1)).toBe(false);
  });

  test('when it passes in time behind the bytes still in the pacer', () => {
    const gate = new Gate();
    expect(gate.offer(0, 'reference', 4_000, { waiting: 6_001 })).toBe(false);
    expect(new Gate().offer(0, 'reference', 4_000, { waiting: 6_000 })).toBe(true);
  });

  test('again once the queue has drained', () => {
    const gate = new Gate();
    gate.offer(0, 'key', 10_000);
    expect(gate.offer(10, 'discardable', 1, { showsDamaged: false })).toBe(false);
    expect(gate.offer(90, 'discardable', 5_000)).toBe(true);
  });

  test('when any frame is useful: if the backlog takes at most half a frame interval', () => {
    const gate = new Gate();
    gate.offer(0, 'key', 5_000);
    expect(gate.offer(29, 'reference', 100, { showsDamaged: true })).toBe(false);
    expect(gate.offer(30, 'reference', 100, { showsDamaged: true })).toBe(true);
  });

  test('of any size, if it is a key frame', () => {
    const gate = new Gate();
    gate.offer(0, 'key', 10_000);
    expect(gate.offer(10, 'key', 60_000)).toBe(true);
  });

  test('with more time to spare, if it is discardable', () => {
    const gate = new Gate();
    gate.offer(0, 'key', 5_000);
    expect(gate.offer(0, 'discardable', 1_001)).toBe(false);
    expect(gate.offer(0, 'discardable', 1_000)).toBe(true);
  });
});

describe('a withheld frame', () => {
  test('withholds frames that cannot be decoded without it, up to the next key frame', () => {
    const gate = new Gate();
    gate.offer(0, 'key', 9_000);
    expect(gate.offer(0, 'reference', 2_000)).toBe(false);
    expect(gate.offer(500, 'reference', 10)).toBe(false);
    expect(gate.offer(500, 'discardable', 10)).toBe(false);
    expect(gate.offer(600, 'key', 10)).toBe(true);
    expect(gate.offer(600, 'reference', 10)).toBe(true);
  });

  test('withholds no other frames when damaged ones are shown', () => {
    const gate = new Gate();
    gate.offer(0, 'key', 9_000);
    expect(gate.offer(0, 'reference', 2_000, { showsDamaged: true })).toBe(false);
    expect(gate.offer(500, 'reference', 10, { showsDamaged: true })).toBe(true);
  });

  test('takes too long at least, whatever the limit says, unless it is a key frame', () => {
    const gate = new Gate();
    const late = { limit: undefined, waitMin: milliseconds(101) };
    expect(gate.offer(0, 'key', 1_000, late)).toBe(true);
    expect(gate.offer(10, 'reference', 1_000, { ...late, waitMin: milliseconds(100) })).toBe(true);
    expect(gate.offer(20, 'reference', 1_000, late)).toBe(false);
    // Those after it refer to it.
    expect(gate.offer(30, 'reference', 1_000, { limit: undefined })).toBe(false);
    expect(gate.offer(40, 'key', 1_000, late)).toBe(true);
    expect(gate.offer(50, 'reference', 1_000, { limit: undefined })).toBe(true);
  });

  test('withholds no other frames when it was discardable', () => {
    const gate = new Gate();
    gate.offer(0, 'key', 9_000);
    expect(gate.offer(0, 'discardable', 2_000)).toBe(false);
    expect(gate.offer(500, 'reference', 10)).toBe(true);
  });
});

test('room is kept for the next key frame, as predicted from the last ones', () => {
  const gate = new Gate();
  gate.offer(0, 'key', 8_000);
  gate.offer(1_000, 'key', 8_000);
  // In 50 ms, 5,000 of these bytes are through; the rest and the key frame take longer than there is.
  expect(gate.offer(1_950, 'reference', 7_100)).toBe(false);
  const other = new Gate();
  other.offer(0, 'key', 8_000);
  other.offer(1_000, 'key', 8_000);
  expect(other.offer(1_950, 'reference', 6_900)).toBe(true);
});
