import { describe, expect, test } from 'vitest';
import { instant, microseconds, milliseconds } from '../../../protocol/base/units.ts';
import type { PacketReport } from '../../../sender/rate/rate-controller.ts';
import { RateLoop } from '../../../sender/rate/rate-loop.ts';
import { UnlimitedRate } from '../../../sender/rate/unlimited-rate.ts';

class Silenced extends UnlimitedRate {
  silent = true;
  isBlind = false;

  isSilent(): boolean {
    return this.silent;
  }
}

const at = (ms: number) => instant(milliseconds(ms));
const packet = (arrivedAtMs: number | undefined): PacketReport => ({
  number: 0,
  bytes: 1_200,
  kind: 'media',
  sentAt: at(0),
  arrivedAt: arrivedAtMs === undefined ? undefined : microseconds(arrivedAtMs * 1_000),
  mark: 'not-ect',
});

function silenced() {
  const controller = new Silenced();
  return { controller, loop: new RateLoop(controller, { ssrc: 1 }) };
}

describe('a key frame requested while the path is silent', () => {
  test('is made once the next report shows a loss', () => {
    const { loop } = silenced();
    expect(loop.allowsKeyFrame(at(10))).toBe(false);
    expect(loop.takeHeldKeyFrame(at(20), [packet(5), packet(undefined)])).toBe(true);
    expect(loop.takeHeldKeyFrame(at(30), [packet(undefined)])).toBe(false);
  });

  test('is made with the next report when its loss was reported before the request, and once only', () => {
    const { controller, loop } = silenced();
    controller.silent = false;
    expect(loop.takeHeldKeyFrame(at(0), [packet(undefined)])).toBe(false);
    controller.silent = true;
    expect(loop.allowsKeyFrame(at(150))).toBe(false);
    expect(loop.takeHeldKeyFrame(at(400), [])).toBe(false);
    controller.silent = false;
    expect(loop.takeHeldKeyFrame(at(410), [packet(405)])).toBe(true);
    expect(loop.takeHeldKeyFrame(at(420), [packet(415)])).toBe(false);
    controller.silent = true;
    expect(loop.allowsKeyFrame(at(430))).toBe(false);
    expect(loop.takeHeldKeyFrame(at(500), [packet(495)])).toBe(false);
  });

  test('is made for its loss when the receiver repeats the request', () => {
    const { controller, loop } = silenced();
    loop.takeHeldKeyFrame(at(0), [packet(undefined)]);
    expect(loop.allowsKeyFrame(at(900))).toBe(false);
    expect(loop.allowsKeyFrame(at(1_900))).toBe(false);
    controller.silent = false;
    expect(loop.takeHeldKeyFrame(at(2_000), [packet(1_995)])).toBe(true);
  });

  test('is not made for a loss reported long before, nor for one that a key frame has mended', () => {
    const { controller, loop } = silenced();
    loop.takeHeldKeyFrame(at(0), [packet(undefined)]);
    loop.allowsKeyFrame(at(1_100));
    expect(loop.takeHeldKeyFrame(at(1_110), [packet(5)])).toBe(false);
    loop.takeHeldKeyFrame(at(1_200), [packet(undefined)]);
    controller.silent = false;
    expect(loop.allowsKeyFrame(at(1_300))).toBe(true);
    controller.silent = true;
    loop.allowsKeyFrame(at(1_400));
    expect(loop.takeHeldKeyFrame(at(1_410), [packet(5)])).toBe(false);
  });

  test('is not needed when all arrives after all', () => {
    const { controller, loop } = silenced();
    loop.allowsKeyFrame(at(10));
    expect(loop.takeHeldKeyFrame(at(20), [packet(5)])).toBe(false);
    controller.silent = false;
    expect(loop.takeHeldKeyFrame(at(30), [packet(6)])).toBe(false);
    expect(loop.takeHeldKeyFrame(at(40), [packet(undefined)])).toBe(false);
  });

  test('is made at once on a path that reports, or a controller that does not know', () => {
    const { controller, loop } = silenced();
    controller.silent = false;
    expect(loop.allowsKeyFrame(at(10))).toBe(true);
    expect(new RateLoop(new UnlimitedRate(), { ssrc: 1 }).allowsKeyFrame(at(10))).toBe(true);
  });
});

test('a change of the reports is returned once', () => {
  const { controller, loop } = silenced();
  expect(loop.pollReports()).toBeUndefined();
  controller.isBlind = true;
  expect([loop.pollReports(), loop.pollReports()]).toEqual(['missing', undefined]);
  controller.isBlind = false;
  expect([loop.pollReports(), loop.pollReports()]).toEqual(['back', undefined]);
});
