import { expect, test } from 'vitest';
import type { LaneSettings } from '../../../protocol/page/lane-message.ts';
import { keptSettings, OwnSettings } from '../../../web/lanes/own-settings.ts';

const LANE: LaneSettings = {
  transport: 'udp',
  recovery: 'hybrid',
  congestionControl: 'cubic',
  latencyMs: 200,
  onLoss: 'freeze',
};
const BEFORE = { lanes: [LANE], link: 'loss=3% seed=1', source: 'city.mp4' };
const SOURCES = ['counter.h264', 'city.mp4'];

test('keeps lanes, link and source for another server', () => {
  expect(keptSettings(BEFORE, { sources: SOURCES })).toEqual(BEFORE);
});

test('keeps the lanes where another server does not have the video, or cannot take the link from a page', () => {
  const before = { ...BEFORE, link: 'netem="loss 1%"', source: 'uploaded.mp4' };
  expect(keptSettings(before, { sources: SOURCES })).toEqual({ lanes: [LANE] });
});

test('requests the settings of before of another server once, and none of the same server', () => {
  const requested: unknown[] = [];
  const handlers = { requested: (news: unknown) => void requested.push(news), refused: () => {} };
  const own = new OwnSettings(handlers, '');
  const present = { lanes: [LANE, LANE], link: 'delay=10ms seed=1', source: 'counter.h264', sources: SOURCES };
  const mine = { ...present, ...BEFORE };
  expect(own.follow(1, undefined)).toBe(false);
  expect(own.request(present)).toBe(false);
  expect(own.follow(1, mine)).toBe(false);
  expect(own.request(present)).toBe(false);
  expect(own.follow(2, mine)).toBe(true);
  expect(own.request(present)).toBe(true);
  expect(own.request(mine)).toBe(false);
  expect(requested).toEqual([BEFORE]);
});
