import { expect, onTestFinished, test, vi } from 'vitest';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import { type Instant, ticks } from '../../../protocol/base/units.ts';
import { sourceOf } from '../../loopback-session.ts';
import { PATIENCE } from '../../patience.ts';
import { sampleUnits } from '../../sample-units.ts';
import { soundSource, soundUnits } from '../../sound-units.ts';
import { liveOf } from '../serve-live.ts';

test('tells the instant of any media time on its one clock, whenever it is asked', async () => {
  const units = sampleUnits().slice(0, 10);
  const live = liveOf(sourceOf(units));
  onTestFinished(() => live.close());
  expect(live.dueAt(ticks(0))).toBeUndefined();
  const [own, ofFirst]: [Instant[], Instant[]] = [[], []];
  live.add({
    send: (unit) => {
      own.push(live.dueAt(unit.decodeTimestamp)!);
      ofFirst.push(live.dueAt(units[0]!.decodeTimestamp)!);
    },
    sendSound: () => {},
    finish: () => {},
  });
  live.start();
  await vi.waitFor(() => expect(own).toHaveLength(units.length), PATIENCE);
  // Without a stall, the first picture stays where it was; a machine that stalls moves all that follows.
  for (const [index, at] of ofFirst.entries()) expect(at).toBeGreaterThanOrEqual(ofFirst[Math.max(0, index - 1)]!);
  expect(own[0]).toBe(ofFirst[0]);
  const span = (units[9]!.timestamp - units[0]!.timestamp) / 0.09;
  expect(own[9]! - ofFirst[9]!).toBeCloseTo(span, -1);
});

/** Leads of the sound that a stream with these viewers hands over, 90 kHz. */
async function leadsFor(viewers: readonly { readonly takesEarlySound?: boolean }[]): Promise<number[]> {
  const units = soundUnits('opus', 40);
  const live = liveOf({ ...sourceOf(sampleUnits().slice(0, 20)), sound: soundSource('opus', units) });
  onTestFinished(() => live.close());
  const leads: number[] = [];
  const sendSound = ({ timestamp, decodeTimestamp }: AccessUnit) => leads.push(timestamp - decodeTimestamp);
  for (const [index, viewer] of viewers.entries()) {
    live.add({ ...viewer, send: () => {}, sendSound: index === 0 ? sendSound : () => {}, finish: () => {} });
  }
  live.start();
  await vi.waitFor(() => expect(leads).toHaveLength(units.length), PATIENCE);
  return leads;
}

test('sound leaves early, with the pictures, when all viewers take it so', async () => {
  const early = await leadsFor([{ takesEarlySound: true }, { takesEarlySound: true }]);
  expect(Math.max(...early)).toBeGreaterThan(0);
  expect(Math.max(...early)).toBeLessThanOrEqual(4_500);
  expect(new Set(await leadsFor([{ takesEarlySound: true }, {}]))).toEqual(new Set([0]));
});
