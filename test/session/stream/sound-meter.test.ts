import { expect, test } from 'vitest';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import { microseconds, ticks } from '../../../protocol/base/units.ts';
import type { ReleasedFrameClass } from '../../../protocol/frame-class.ts';
import type { ReceiverEvent } from '../../../receiver/receiver.ts';
import type { ReceiverStatistics } from '../../../receiver/receiver-statistics.ts';
import { SoundMeter } from '../../../session/stream/sound-meter.ts';

/** Units of 20 ms in Opus (RFC 6716 §3.1: configuration 31, one frame). */
const UNIT_TICKS = 1_800;

function meter(): SoundMeter {
  const made = new SoundMeter();
  made.begin({ codec: 'opus', parameterSets: [] });
  return made;
}

function released(index: number, as: ReleasedFrameClass): ReceiverEvent {
  const timestamp = ticks(index * UNIT_TICKS);
  const unit: AccessUnit = {
    parts: [new Uint8Array([31 << 3, 0])],
    timestamp,
    decodeTimestamp: timestamp,
    importance: 'key',
  };
  const delay = microseconds(0);
  return {
    kind: 'access-unit',
    unit,
    frame: index,
    class: as,
    decodeOnly: as === 'mended',
    playoutDelay: delay,
    completionDelay: delay,
  };
}

const dropped = (frame: number, frames = 1): ReceiverEvent => ({
  kind: 'dropped',
  frame,
  frames,
  cause: 'neverArrived',
});
const concealed = (of: SoundMeter): number | undefined => of.record({} as ReceiverStatistics)?.concealedMs;

test('sound that is on time or recovered is not concealed', () => {
  const made = meter();
  made.handleEvent(released(0, 'onTime'));
  made.handleEvent(released(1, 'recovered'));
  expect(concealed(made)).toBe(0);
});

test('sound that is late is concealed for its duration, whether it is the newest or not', () => {
  const made = meter();
  made.handleEvent(released(0, 'onTime'));
  made.handleEvent(released(1, 'mended'));
  made.handleEvent(released(2, 'late'));
  made.handleEvent(released(3, 'onTime'));
  expect(concealed(made)).toBe(40);
});

test('a gap of lost sound is measured by the times around it, and beside late sound once', () => {
  const made = meter();
  made.handleEvent(released(0, 'onTime'));
  made.handleEvent(dropped(1, 3));
  made.handleEvent(released(4, 'late'));
  expect(concealed(made)).toBe(80);
  made.handleEvent(dropped(5));
  expect(concealed(made)).toBe(100);
});

test('a hole of the source beside lost sound is not concealed', () => {
  const made = meter();
  made.handleEvent(released(0, 'onTime'));
  made.handleEvent(dropped(1, 2));
  // The source stalled for a second meanwhile.
  made.handleEvent(released(53, 'onTime'));
  expect(concealed(made)).toBe(40);
});
