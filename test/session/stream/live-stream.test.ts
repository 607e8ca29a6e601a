import { expect, onTestFinished, test, vi } from 'vitest';
import { now } from '../../../io/os/clock.ts';
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
  let last = 0;
  live.add({
    send: (unit) => {
      last = unit.decodeTimestamp;
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
  // With the stalls, which the times of the pictures contain.
  const span = (last - units[0]!.decodeTimestamp) / 0.09;
  expect(own[9]! - ofFirst[9]!).toBeCloseTo(span, -1);
});

/** A unit of the sound as a viewer gets it. */
interface Heard {
  readonly timestamp: number;
  /** Time before which it comes, 90 kHz. */
  readonly lead: number;
  readonly at: Instant;
  /** Instant of its presentation time on the clock of the stream. */
  readonly dueAt: Instant;
}

/** Returns the sound that each of these viewers gets of a stream that ends. */
async function soundOf(viewers: readonly { readonly takesEarlySound?: boolean }[], units: readonly AccessUnit[]) {
  const live = liveOf({ ...sourceOf(sampleUnits().slice(0, 20)), sound: soundSource('opus', units) });
  onTestFinished(() => live.close());
  const ends: Promise<void>[] = [];
  const heard = viewers.map((viewer) => {
    const own: Heard[] = [];
    const sendSound = ({ timestamp, decodeTimestamp }: AccessUnit) =>
      own.push({ timestamp, lead: timestamp - decodeTimestamp, at: now(), dueAt: live.dueAt(timestamp)! });
    ends.push(new Promise((finish) => live.add({ ...viewer, send: () => {}, sendSound, finish })));
    return own;
  });
  live.start();
  await Promise.all(ends);
  return heard;
}

const leadsOf = (heard: readonly Heard[] | undefined) => heard!.map(({ lead }) => lead);

test('sound leaves early, with the pictures, when all viewers take it so', async () => {
  for (const heard of await soundOf([{ takesEarlySound: true }, { takesEarlySound: true }], soundUnits('opus', 40))) {
    expect(heard).toHaveLength(40);
    expect(Math.max(...leadsOf(heard))).toBeGreaterThan(0);
    expect(Math.max(...leadsOf(heard))).toBeLessThanOrEqual(4_500);
  }
});

test('sound leaves early for the viewers that take it so, and at its own time for the others', async () => {
  const [early, own] = await soundOf([{ takesEarlySound: true }, {}], soundUnits('opus', 40));
  expect(Math.max(...leadsOf(early))).toBeGreaterThan(0);
  expect(new Set(leadsOf(own))).toEqual(new Set([0]));
  expect(own!.map(({ timestamp }) => timestamp)).toEqual(early!.map(({ timestamp }) => timestamp));
  for (const [index, { at }] of own!.entries()) expect(at).toBeGreaterThanOrEqual(early![index]!.dueAt);
});

test('hands over held sound before the end of the stream', async () => {
  // The last picture, at 633 ms, takes along the sound that ends with it.
  const [early, own] = await soundOf([{ takesEarlySound: true }, {}], soundUnits('opus', 33));
  expect(leadsOf(early).at(-1)).toBeGreaterThan(0);
  expect(own).toHaveLength(33);
});
