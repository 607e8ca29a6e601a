import { expect, test } from 'vitest';
import { matchLanes } from '../../../protocol/page/lane-matching.ts';
import type { LaneSettings } from '../../../protocol/page/lane-message.ts';

const lane = (settings: Partial<LaneSettings> = {}): LaneSettings => ({
  transport: 'udp',
  recovery: 'hybrid',
  congestionControl: 'cubic',
  latencyMs: 200,
  onLoss: 'freeze',
  ...settings,
});
const [A, B, C] = [lane(), lane({ recovery: 'nack' }), lane({ transport: 'tcp' })];

test.each([
  ['the same lanes', [A, B, C], [A, B, C], [0, 1, 2]],
  ['a removed lane', [A, B, C], [B, C], [1, 2]],
  ['an added lane', [A, B], [A, B, C], [0, 1, undefined]],
  ['a changed lane', [A, B, C], [A, lane({ latencyMs: 80 }), C], [0, undefined, 2]],
  ['one of two equal lanes removed', [A, A, B], [A, B], [0, 2]],
  ['a lane doubled', [A, B], [A, B, A], [0, 1, undefined]],
  ['TCP, whose recovery has no effect', [C], [{ ...C, recovery: 'none' as const }], [0]],
  ['lanes that follow the path', [A], [{ ...A, follows: true }], [undefined]],
])('continues lanes with the same settings: %s', (_, before, after, places) => {
  expect(matchLanes(before, after)).toEqual(places);
});
