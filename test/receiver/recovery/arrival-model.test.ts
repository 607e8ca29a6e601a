import { expect, test } from 'vitest';
import { instant, microseconds, milliseconds } from '../../../protocol/base/units.ts';
import { asSequence } from '../../../protocol/rtp/sequence.ts';
import { ArrivalModel } from '../../../receiver/recovery/arrival-model.ts';

const FRAME_MS = 33;
const PACKETS = 8;

/** Frames of eight packets each, which come so far apart, milliseconds. */
function after(spacingsMs: readonly number[]): ArrivalModel {
  const pace = new ArrivalModel();
  for (const [number, spacingMs] of spacingsMs.entries()) {
    for (let packetIndex = 0; packetIndex < PACKETS; packetIndex++) {
      const now = milliseconds(100 + number * FRAME_MS + packetIndex * spacingMs);
      pace.onPacket(instant(now), {
        sequence: asSequence(number * PACKETS + packetIndex),
        number,
        mark: { packetIndex, packetCount: PACKETS },
        expectedAt: instant(milliseconds(100 + number * FRAME_MS)),
        ahead: true,
        origin: 'sent',
        transit: microseconds(0),
      });
    }
  }
  return pace;
}

test('a bottleneck of one rate spaces packets alike: that is told', () => {
  expect(after([1.5, 1.5, 1.6, 1.5, 1.4, 1.5]).spacing).toBe(milliseconds(1.5));
});

test('one frame that was held up changes nothing', () => {
  expect(after([1.5, 1.5, 4, 1.5, 1.5, 1.5]).spacing).toBe(milliseconds(1.5));
});

test('where the capacity comes and goes there is no spacing to go by', () => {
  expect(after([0.5, 3, 0.4, 2.5, 1, 4]).spacing).toBe(0);
});
