import { onTestFinished } from 'vitest';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import { seconds, ticks } from '../../../protocol/base/units.ts';
import { Broadcast, type BroadcastOptions } from '../../../session/stream/broadcast.ts';

/** 100 frames per second. */
export const FRAME = 900;

export const unit = (decodeTimestamp: number, timestamp = decodeTimestamp): AccessUnit => ({
  parts: [Uint8Array.of(0x65)],
  timestamp: ticks(timestamp),
  decodeTimestamp: ticks(decodeTimestamp),
  importance: 'key',
});

/** Starts a broadcast until the test is over, and keeps what it hands over. */
export function broadcast(units: readonly AccessUnit[], options: Partial<BroadcastOptions> = {}) {
  const handed: AccessUnit[] = [];
  const ends: unknown[] = [];
  const one = new Broadcast({
    units: async function* () {
      yield* units;
    },
    loop: false,
    onUnit: (each) => handed.push(each),
    onEnd: (error) => ends.push(error),
    onStall: () => {},
    // A stall shifts the timestamps, and these are those of the source.
    lateMax: seconds(600),
    ...options,
  });
  onTestFinished(() => one.stop());
  one.start();
  return { one, handed, ends };
}
