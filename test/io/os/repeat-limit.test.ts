import { expect, test } from 'vitest';
import { RepeatLimit } from '../../../io/os/repeat-limit.ts';
import { instant } from '../../../protocol/base/units.ts';

const at = (second: number) => instant(second * 1_000_000);

/** Seconds at which a message that comes every second is admitted, with the number withheld before each. */
function admissions(seconds: number, messageAt: (second: number) => string): [second: number, withheld: number][] {
  const limit = new RepeatLimit();
  const admitted: [number, number][] = [];
  for (let second = 0; second < seconds; second++) {
    const withheld = limit.admit(at(second), messageAt(second));
    if (withheld !== undefined) admitted.push([second, withheld]);
  }
  return admitted;
}

test('admits a repeated message at once, after ten seconds, and then at doubled intervals', () => {
  expect(admissions(160, (second) => `the stream stalled for ${second * 7} ms recently`)).toEqual([
    [0, 0],
    [10, 9],
    [30, 19],
    [70, 39],
    [150, 79],
  ]);
});

test('admits one every ten minutes in the long run', () => {
  const last = admissions(7_200, () => 'again').slice(-3);
  expect(last.map(([second], i) => second - (last[i - 1]?.[0] ?? Number.NaN)).slice(1)).toEqual([600, 600]);
});

test('admits different kinds side by side; names and addresses with other digits are different', () => {
  const messages = ['clip1.mp4 is cut', 'clip2.mp4 is cut', '127.0.0.1:7000 left', '127.0.0.1:7001 left', 'v1 left'];
  const limit = new RepeatLimit();
  expect(messages.map((message) => limit.admit(at(0), message))).toEqual([0, 0, 0, 0, 0]);
  expect(messages.map((message) => limit.admit(at(1), message))).toEqual(messages.map(() => undefined));
});

test('treats a message that has not occurred for long as new', () => {
  const limit = new RepeatLimit();
  const admit = (second: number) => limit.admit(at(second), 'slow');
  expect([admit(0), admit(10), admit(30), admit(2_000), admit(2_005), admit(2_010)]).toEqual([
    0,
    0,
    0,
    0,
    undefined,
    1,
  ]);
});

test('remembers a bounded number of kinds', () => {
  const limit = new RepeatLimit();
  expect(limit.admit(at(0), 'first')).toBe(0);
  for (let kind = 0; kind < 64; kind++) limit.admit(at(0), `kind-${kind}`);
  expect(limit.admit(at(1), 'first')).toBe(0);
});
