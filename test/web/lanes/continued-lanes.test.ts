import { expect, test } from 'vitest';
import type { LaneSettings } from '../../../protocol/page/lane-message.ts';
import { continuedLanes } from '../../../web/lanes/continued-lanes.ts';

const lane = (latencyMs: number): LaneSettings => {
  return { transport: 'udp', recovery: 'hybrid', congestionControl: 'cubic', latencyMs, onLoss: 'freeze' };
};
const [A, B, C] = [lane(100), lane(200), lane(300)];

test.each([
  ['the first lanes have new places', [], [A, B], [undefined, undefined]],
  ['a changed lane keeps its place', [A, B], [A, C], [0, 1]],
  ['a removed lane takes its place with it', [A, B, C], [B, C], [1, 2]],
  ['an added lane has a new place', [A, B], [A, B, B], [0, 1, undefined]],
])('%s', (_, before, after, places) => {
  expect(continuedLanes(before, after)).toEqual(places);
});
