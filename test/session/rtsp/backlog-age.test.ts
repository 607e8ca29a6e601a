import { expect, test } from 'vitest';
import { instant, microseconds } from '../../../protocol/base/units.ts';
import { BacklogAge } from '../../../session/rtsp/backlog-age.ts';

test('is the time for which the oldest waiting byte has waited', () => {
  const age = new BacklogAge();
  age.add(instant(0), 100, 100);
  age.add(instant(10), 100, 200);
  expect(age.of(instant(50), 200)).toBe(microseconds(50));
  expect(age.of(instant(50), 100)).toBe(microseconds(40));
  expect(age.of(instant(50), 0)).toBe(microseconds(0));
});
