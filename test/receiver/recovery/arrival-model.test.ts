import { expect, test } from 'vitest';
import { instant, microseconds, milliseconds } from '../../../protocol/base/units.ts';
import { asSequence } from '../../../protocol/rtp/sequence.ts';
import { ArrivalModel } from '../../../receiver/recovery/arrival-model.ts';

const FRAME_MS = 33;
const PACKETS = 8;

/** Frames of eight packets with this spacing, milliseconds. */
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

test('measures the packet spacing of a bottleneck with a constant rate', () => {
  expect(after([1.5, 1.5, 1.6, 1.5, 1.4, 1.5]).spacing).toBe(milliseconds(1.5));
});

test('ignores a single delayed frame', () => {
  expect(after([1.5, 1.5, 4, 1.5, 1.5, 1.5]).spacing).toBe(milliseconds(1.5));
});

test('gives no spacing when the capacity varies', () => {
  expect(after([0.5, 3, 0.4, 2.5, 1, 4]).spacing).toBe(0);
});
