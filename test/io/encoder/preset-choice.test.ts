import { describe, expect, test } from 'vitest';
import { PresetChoice } from '../../../io/encoder/preset-choice.ts';
import { instant, microseconds, milliseconds } from '../../../protocol/base/units.ts';

const INTERVAL = microseconds(33_333);

/** Verdicts on pictures that take this long, one every interval from `fromMs` on, without those that fit. */
function verdicts(choice: PresetChoice, tookMs: number, pictures: number, fromMs = 0): string[] {
  const found: string[] = [];
  for (let picture = 0; picture < pictures; picture++) {
    const now = instant(milliseconds(fromMs + picture * 33));
    const verdict = choice.update(now, milliseconds(tookMs), INTERVAL);
    if (verdict !== 'fits') found.push(verdict);
  }
  return found;
}

describe('the preset', () => {
  test('begins with the best that fits, given the time of a picture', () => {
    for (const [ms, preset] of [
      [10, 'veryfast'],
      [30, 'superfast'],
      [60, 'ultrafast'],
      [500, 'ultrafast'],
    ] as const) {
      const choice = new PresetChoice();
      choice.beginWith(milliseconds(ms), INTERVAL);
      expect(choice.preset).toBe(preset);
    }
  });

  test('becomes faster when pictures take too long, and says when no preset is fast enough', () => {
    const choice = new PresetChoice();
    expect(verdicts(choice, 30, 15)).toEqual(['faster']);
    expect(verdicts(choice, 30, 15)).toEqual(['faster']);
    expect(choice.preset).toBe('ultrafast');
    expect(verdicts(choice, 30, 15)).toEqual(['slow']);
  });

  test('stays while pictures fit, one slow picture included', () => {
    const choice = new PresetChoice();
    expect(verdicts(choice, 15, 100)).toEqual([]);
    expect(verdicts(choice, 60, 1)).toEqual([]);
    expect(verdicts(choice, 15, 100)).toEqual([]);
  });

  test('reports spare time after a while, and later when the better preset did not fit', () => {
    const choice = new PresetChoice();
    let ms = 0;
    /** Takes pictures until there is a verdict, and returns it with the seconds that passed. */
    const nextVerdict = (tookMs: number) => {
      const from = ms;
      for (;;) {
        ms += 33;
        const [verdict] = verdicts(choice, tookMs, 1, ms);
        if (verdict !== undefined) return { verdict, seconds: Math.round((ms - from) / 1_000) };
      }
    };
    expect(nextVerdict(30).verdict).toBe('faster');
    expect(nextVerdict(5)).toEqual({ verdict: 'spare', seconds: 10 });
    expect(choice.improve()).toBe(true);
    expect(choice.preset).toBe('veryfast');
    expect(choice.improve()).toBe(false);
    expect(nextVerdict(30).verdict).toBe('faster');
    expect(nextVerdict(5)).toEqual({ verdict: 'spare', seconds: 20 });
  });
});
