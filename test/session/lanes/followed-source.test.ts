import { expect, onTestFinished, test } from 'vitest';
import { now } from '../../../io/os/clock.ts';
import type { AdaptiveControl } from '../../../io/sources/adaptive-control.ts';
import type { MediaSource } from '../../../io/sources/media-source.ts';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import {
  type Microseconds,
  microseconds,
  microsecondsToTicks,
  milliseconds,
  seconds,
  ticks,
  ticksToMicroseconds,
} from '../../../protocol/base/units.ts';
import { FollowedSource } from '../../../session/lanes/followed-source.ts';
import { until } from '../../io/net/control-peers.ts';
import { madeUpUnits, sourceOf } from '../../loopback-session.ts';

const FRAME = milliseconds(20);
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface Handed {
  readonly unit: AccessUnit;
  /** Due time on the source's own timeline: constant while nothing is delayed. */
  readonly begin: number;
  readonly lateMs: number;
}

/** A source that takes as long for each picture as it is shown, and half a second longer for one of them. */
function slowSource(slowAt: number, skips: Microseconds[]): MediaSource & { readonly adaptive: AdaptiveControl } {
  let at = ticks(0);
  return {
    ...sourceOf(madeUpUnits(1)),
    adaptive: {
      bitrateMin: 100_000,
      bitrateMax: 1_000_000,
      setTarget: () => {},
      requestKeyFrame: () => {},
      skip: (span) => {
        skips.push(span);
        at = ticks(at + microsecondsToTicks(span));
      },
      state: { bitrate: 100_000, preset: undefined, width: 320, height: 240 },
      leadTime: FRAME,
    },
    async *units() {
      for (let frame = 0; ; frame++) {
        await sleep(frame === slowAt ? 500 : 20);
        yield { parts: [], timestamp: at, decodeTimestamp: at, importance: 'key' };
        at = ticks(at + microsecondsToTicks(FRAME));
      }
    },
  };
}

function follow(media: MediaSource) {
  const handed: Handed[] = [];
  const stalls: Microseconds[] = [];
  const source = new FollowedSource({
    media,
    loop: false,
    // A pause of the machine is no stall of the source.
    lateMax: seconds(600),
    targets: () => [],
    onUnit: (unit, dueAt) => {
      const begin = dueAt - ticksToMicroseconds(unit.timestamp);
      handed.push({ unit, begin, lateMs: (now() - dueAt) / 1_000 });
    },
    onStall: (late) => stalls.push(late),
    onFailure: (error) => {
      throw error;
    },
  });
  onTestFinished(() => source.close());
  source.start();
  return { source, handed, stalls };
}

test('an encoder that was slow leaves pictures out, and is at the present one again without a delay', async () => {
  const skips: Microseconds[] = [];
  const { handed, stalls } = follow(slowSource(10, skips));
  await until('the slow picture has come', () => handed.some(({ lateMs }) => lateMs > 300));
  const slow = handed.findIndex(({ lateMs }) => lateMs > 300);
  await until('it is in time again', () => handed.slice(slow).some(({ lateMs }) => lateMs < 100));
  expect(skips.length).toBeGreaterThan(0);
  expect(Math.max(...skips)).toBeLessThanOrEqual(milliseconds(500));
  expect(stalls).toEqual([]);
  for (const { begin } of handed) expect(Math.abs(begin - handed[0]!.begin)).toBeLessThan(milliseconds(1));
});

test('is delayed with the other source of the same video', async () => {
  const { source, handed } = follow(slowSource(-1, []));
  await until('pictures have come', () => handed.length > 5);
  const before = handed.length;
  source.delay(milliseconds(700));
  await until('more have come', () => handed.length > before + 3);
  // Of the picture before, the time of the next one is on the shifted timeline, as that of the other source is.
  const dueAt = ({ begin, unit }: Handed) => begin + ticksToMicroseconds(unit.timestamp);
  const gap = dueAt(handed[before]!) - dueAt(handed[before - 1]!);
  expect(gap).toBeGreaterThanOrEqual(microseconds(milliseconds(700)));
});
