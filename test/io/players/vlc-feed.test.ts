import { expect, test } from 'vitest';
import { VlcFeed } from '../../../io/players/vlc.ts';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import { ticks } from '../../../protocol/base/units.ts';
import { H264 } from '../../../protocol/codec/h264/h264.ts';

const FRAME_MS = 40;
const FRAME_TICKS = 3_600;

test('advances the clock while no picture arrives', () => {
  const feed = new VlcFeed(H264);
  for (let frame = 0; frame < 5; frame++) feed.write(frame * FRAME_MS, unit(frame));
  expect(feed.idle(4 * FRAME_MS + 20)).toBeUndefined();
  expect(clockOf(feed.idle(5 * FRAME_MS))).toBe(5 * FRAME_TICKS);
  expect(feed.idle(5 * FRAME_MS + 20)).toBeUndefined();
  expect(clockOf(feed.idle(9 * FRAME_MS))).toBe(9 * FRAME_TICKS);
});

test('does not run back for a burst of late pictures, nor ahead after it', () => {
  const feed = new VlcFeed(H264);
  feed.write(0, unit(0));
  for (let frame = 1; frame <= 20; frame++) feed.idle(frame * FRAME_MS);
  for (let frame = 1; frame <= 20; frame++) expect(clockOf(feed.write(800, unit(frame)))).toBe(20 * FRAME_TICKS);
  expect(clockOf(feed.write(840, unit(21)))).toBe(21 * FRAME_TICKS);
});

test('follows a sender whose clock is slower', () => {
  const feed = new VlcFeed(H264);
  for (let frame = 0; frame < 100; frame++) feed.write(frame * (FRAME_MS + 1), unit(frame));
  const until = 99 * (FRAME_MS + 1) + FRAME_MS;
  expect(clockOf(feed.idle(until))! - 100 * FRAME_TICKS).toBeLessThan(2 * FRAME_TICKS);
});

test('sends no clock before the first picture and during a pause', () => {
  const feed = new VlcFeed(H264);
  expect(feed.idle(0)).toBeUndefined();
  feed.write(0, unit(0));
  expect(feed.idle(9_000)).toBeDefined();
  expect(feed.idle(11_000)).toBeUndefined();
});

test('restarts the clock for pictures of another timeline', () => {
  const feed = new VlcFeed(H264);
  feed.write(0, unit(10_000));
  expect(clockOf(feed.write(FRAME_MS, unit(0)))).toBe(0);
});

function unit(frame: number): AccessUnit {
  const time = ticks(frame * FRAME_TICKS);
  return { parts: [Uint8Array.of(0x41)], timestamp: time, decodeTimestamp: time, importance: 'reference' };
}

/** The newest program clock (ISO/IEC 13818-1 §2.4.3.5) in the packets, 90 kHz, less the start of one second. */
function clockOf(bytes: Uint8Array | undefined): number | undefined {
  let clock: number | undefined;
  for (let at = 0; bytes && at < bytes.length; at += 188) {
    const packet = bytes.subarray(at, at + 188);
    if ((packet[3]! & 0x20) === 0 || packet[4] === 0 || (packet[5]! & 0x10) === 0) continue;
    clock = packet.subarray(6, 10).reduce((sum, byte) => sum * 256 + byte, 0) * 2 + (packet[10]! >> 7) - 90_000;
  }
  return clock;
}
