import { describe, expect, test } from 'vitest';
import { instant, microseconds } from '../../../protocol/base/units.ts';
import { ECT_0, NOT_ECT } from '../../../protocol/ecn.ts';
import { EcnValidation } from '../../../sender/rate/ecn-validation.ts';
import type { RateControl } from '../../../sender/rate/rate-control.ts';
import type { EcnMark, PacketReport } from '../../../sender/rate/rate-controller.ts';
import { runSession } from '../../simulated-session.ts';

const reports = (count: number, mark: EcnMark, hasArrived = true): PacketReport[] =>
  Array.from({ length: count }, (_, number) => ({
    ...{ number, bytes: 1_200, kind: 'media', sentAt: instant(0), mark },
    arrivedAt: hasArrived ? microseconds(1) : undefined,
  }));

describe('the validation of ECN', () => {
  test('ends its use where no bits arrive', () => {
    const validation = new EcnValidation();
    validation.onReports(reports(49, 'not-ect'));
    expect(validation.allowed(ECT_0)).toBe(ECT_0);
    validation.onReports(reports(1, 'not-ect'));
    expect(validation.allowed(ECT_0)).toBe(NOT_ECT);
    // For good: what is sent from now on has no bits.
    validation.onReports(reports(10, 'ect-0'));
    expect(validation.allowed(ECT_0)).toBe(NOT_ECT);
  });

  test('goes on while some do', () => {
    const validation = new EcnValidation();
    for (let round = 0; round < 10; round++) {
      validation.onReports(reports(40, 'not-ect'));
      validation.onReports(reports(1, 'ce'));
    }
    expect(validation.allowed(ECT_0)).toBe(ECT_0);
  });

  test('does not count lost packets, which had no mark to report', () => {
    const validation = new EcnValidation();
    validation.onReports(reports(1_000, 'not-ect', false));
    expect(validation.hasFailed).toBe(false);
  });
});

describe('a queue that marks', () => {
  const overloaded = (rate: RateControl, ecn: 'on' | 'off') =>
    runSession({
      forward: `rate=1mbit delay=20ms queue=200ms qdisc=codel(ecn=${ecn})`,
      back: 'delay=20ms',
      sender: { rate },
      stream: { framesPerSecond: 30, frameBytes: 5_000, keyFrameBytes: 5_000, frames: 90 },
    });

  test.each(['adaptive', 'scream', 'scream2'] as const)('marks the datagrams of `%s`, which responds to it', (rate) => {
    expect(overloaded(rate, 'on').receiver.statistics.congestionMarks).toBeGreaterThan(0);
    expect(overloaded(rate, 'off').receiver.statistics.congestionMarks).toBe(0);
  });

  test.each(['limit', 'measured', 'gcc'] as const)('does not mark those of `%s`, which would not respond', (rate) => {
    expect(overloaded(rate, 'on').receiver.statistics.congestionMarks).toBe(0);
  });
});
