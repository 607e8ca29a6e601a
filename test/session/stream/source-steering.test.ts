import { describe, expect, test } from 'vitest';
import type { AdaptiveControl } from '../../../io/sources/adaptive-control.ts';
import { instant, microseconds, milliseconds } from '../../../protocol/base/units.ts';
import { SourceSteering, sharedTarget } from '../../../session/stream/source-steering.ts';

const at = (ms: number) => instant(milliseconds(ms));

describe('the bit rate for several receivers', () => {
  test.each([
    ['of none is unknown', [], undefined],
    ['of unlimited ones is unlimited', [undefined, undefined], undefined],
    ['is the only one that is known', [undefined, 500], 500],
    ['is the lower of two, however far apart', [100, 3_000], 100],
    ['is the lowest of three that are alike', [1_000, 900, 2_000], 900],
    ['leaves out one of three that is far below the others', [1_000, 100, 2_000], 1_000],
    ['follows the lowest where the others are unlimited', [undefined, undefined, 500], 500],
  ] as const)('%s', (_name, targets, expected) => {
    expect(sharedTarget(targets)).toBe(expected);
  });
});

/** A control that records its calls. */
function recorded() {
  const calls: (number | 'key')[] = [];
  const control: AdaptiveControl = {
    bitrateMin: 100,
    bitrateMax: 6_000,
    setTarget: (bitrate) => void calls.push(bitrate),
    requestKeyFrame: () => void calls.push('key'),
    state: { bitrate: 0, preset: 'veryfast', width: 0, height: 0 },
    leadTime: microseconds(0),
  };
  return { calls, steering: new SourceSteering(control) };
}

describe('a steered source', () => {
  test('has its highest rate while no path shows a limit', () => {
    const { calls, steering } = recorded();
    steering.update(at(0), [undefined]);
    steering.update(at(33), [700, undefined]);
    expect(calls).toEqual([6_000, 700]);
    expect(steering.target).toBe(700);
  });

  test('makes one key frame for all requests before it, and the next after 200 ms at the earliest', () => {
    const { calls, steering } = recorded();
    const receivers = [{}, {}];
    for (const receiver of receivers) steering.requestKeyFrame(at(0), receiver);
    steering.update(at(10), [1]);
    expect(calls).toEqual([1, 'key']);
    steering.requestKeyFrame(at(50), receivers[0]!);
    steering.update(at(60), [1]);
    steering.update(at(190), [1]);
    expect(calls).toEqual([1, 'key', 1, 1]);
    steering.update(at(210), [1]);
    expect(calls.filter((each) => each === 'key')).toHaveLength(2);
  });

  test('answers endless requests of a receiver five times, and then once in two seconds', () => {
    const { calls, steering } = recorded();
    const [greedy, other] = [{}, {}];
    for (let ms = 0; ms < 20_000; ms += 33) {
      steering.requestKeyFrame(at(ms), greedy);
      steering.update(at(ms), [1]);
    }
    const keys = calls.filter((each) => each === 'key').length;
    expect(keys).toBeGreaterThanOrEqual(14);
    expect(keys).toBeLessThanOrEqual(15);
    steering.requestKeyFrame(at(20_100), other);
    steering.update(at(20_300), [1]);
    expect(calls.at(-1)).toBe('key');
  });
});
