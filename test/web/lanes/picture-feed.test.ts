import { expect, test } from 'vitest';
import { ticks } from '../../../protocol/base/units.ts';
import type { LanePicture } from '../../../protocol/page/lane-message.ts';
import { PictureFeed } from '../../../web/lanes/picture-feed.ts';

type Flags = Partial<Pick<LanePicture, 'key' | 'decodeOnly' | 'discardable'>>;

const picture = (frame: number, flags: Flags = {}): LanePicture => ({
  lane: 0,
  run: 0,
  frame,
  key: false,
  timestamp: ticks(frame * 3_000),
  capturedMs: 0,
  data: Uint8Array.of(0),
  ...flags,
});

/** Takes everything that the feed gives at one time. */
function taken(feed: PictureFeed, nowMs: number): number[] {
  const frames: number[] = [];
  for (let next = feed.take(nowMs); next; next = feed.take(nowMs)) frames.push(next.frame);
  return frames;
}

test('gives pictures in order, from the first key frame on', () => {
  const feed = new PictureFeed();
  feed.push(picture(0), 0);
  feed.push(picture(1, { key: true }), 33);
  feed.push(picture(2), 66);
  expect(taken(feed, 66)).toEqual([1, 2]);
  expect(feed.skipped).toBe(1);
});

test('continues at the newest key frame when the decoder is slow', () => {
  const feed = new PictureFeed();
  for (let frame = 0; frame < 8; frame++) feed.push(picture(frame, { key: frame % 3 === 0 }), frame * 33);
  expect(taken(feed, 250)).toEqual([6, 7]);
  expect(feed.skipped).toBe(6);
});

test('leaves out discardable pictures first, and only as long as it is late', () => {
  const feed = new PictureFeed();
  feed.push(picture(0, { key: true }), 0);
  for (const frame of [1, 2, 3]) feed.push(picture(frame, { discardable: true }), frame * 100);
  expect(feed.take(10)?.frame).toBe(0);
  expect(taken(feed, 330)).toEqual([3]);
});

test('gives a lane up that is half a second late, asks for its group, and the next time waits for a key frame first', () => {
  const feed = new PictureFeed();
  feed.push(picture(0, { key: true }), 0);
  feed.push(picture(1), 33);
  feed.take(33);
  expect(feed.take(600)).toBeUndefined();
  expect(feed.wantsRejoin(600)).toBe(true);
  feed.requested(600);
  expect(feed.wantsRejoin(1_600)).toBe(false);
  feed.push(picture(0, { key: true, decodeOnly: true }), 1_700);
  expect(feed.take(1_700)?.decodeOnly).toBe(true);
  feed.push(picture(1), 1_733);
  expect(feed.take(2_400)).toBeUndefined();
  expect(feed.wantsRejoin(2_400)).toBe(false);
  expect(feed.wantsRejoin(5_000)).toBe(true);
});

test('catches up with pictures that are not shown for as long as it takes, up to four seconds', () => {
  const feed = new PictureFeed();
  for (let frame = 0; frame < 50; frame++) feed.push(picture(frame, { key: frame === 0, decodeOnly: frame < 49 }), 0);
  for (let frame = 0; frame < 40; frame++) expect(feed.take(frame * 80)?.frame).toBe(frame);
  expect(feed.isCatchingUp).toBe(true);
  expect(feed.behindMs(4_000)).toBe(4_000);
  expect(feed.take(4_100)).toBeUndefined();
  expect(feed.length).toBe(0);
});

test('decodes what has become old while it caught up without showing it', () => {
  const feed = new PictureFeed();
  feed.push(picture(0, { key: true, decodeOnly: true }), 0);
  feed.push(picture(1), 0);
  feed.push(picture(2), 900);
  expect([feed.take(900), feed.take(900), feed.take(900)].map((shown) => shown?.decodeOnly ?? false)).toEqual([
    true,
    true,
    false,
  ]);
  expect(feed.isCatchingUp).toBe(false);
});

test('goes on with a key frame that comes when it is full', () => {
  const feed = new PictureFeed();
  for (let frame = 0; frame < 600; frame++) feed.push(picture(frame, { key: frame === 0 }), 0);
  feed.push(picture(600, { key: true }), 0);
  expect([taken(feed, 0), feed.skipped]).toEqual([[600], 600]);
});

test('keeps a bounded number of pictures', () => {
  const feed = new PictureFeed();
  for (let frame = 0; frame < 5_000; frame++) feed.push(picture(frame, { key: frame === 0 }), 0);
  expect(feed.length).toBeLessThanOrEqual(600);
});

test('tells when the decoder did not keep up, not when a decoder asks for a key frame', () => {
  let gaveUp = 0;
  const feed = new PictureFeed(() => gaveUp++);
  feed.push(picture(0, { key: true }), 0);
  feed.push(picture(1), 33);
  feed.needKey(40);
  expect(gaveUp).toBe(0);
  feed.push(picture(2, { key: true }), 66);
  feed.push(picture(3), 100);
  feed.take(100);
  feed.take(700);
  expect(gaveUp).toBe(1);
});

test('gives key frames only while told so, asks for no group, and goes on whole at the next key frame', () => {
  const feed = new PictureFeed();
  const push = (from: number, until: number) => {
    for (let frame = from; frame < until; frame++) feed.push(picture(frame, { key: frame % 30 === 0 }), frame * 33);
  };
  push(0, 2);
  feed.keysOnly = true;
  push(2, 62);
  expect(taken(feed, 61 * 33)).toEqual([60]);
  push(62, 91);
  expect(taken(feed, 90 * 33)).toEqual([90]);
  expect(feed.wantsRejoin(9_000)).toBe(false);
  feed.keysOnly = false;
  push(91, 122);
  expect(taken(feed, 121 * 33)).toEqual([120, 121]);
});
