import { expect, test } from 'vitest';
import { displayOrder } from '../../../web/lanes/display-order.ts';
import type { Frame } from '../../../web/lanes/lane-log.ts';

const FRAME_MS = 40;
const sent = (pictures: readonly (number | undefined)[]): Frame[] =>
  pictures.map((picture, number) => ({
    ...{ number, picture, positionMs: picture === undefined ? undefined : picture * FRAME_MS },
    ...{ capturedMs: number * FRAME_MS, wholeMs: undefined, decidedMs: number * FRAME_MS, class: 'onTime' },
  }));
const ordered = (pictures: readonly (number | undefined)[]) =>
  displayOrder(sent(pictures)).map(({ picture, number }) => picture ?? `frame ${number}`);

test('orders pictures as they are shown, B-frames and the next round of the video included', () => {
  expect(ordered([96, 99, 97, 98, 0, 3, 1, 2, 4])).toEqual([96, 97, 98, 99, 0, 1, 2, 3, 4]);
});

test('keeps the order of sending where no times are known', () => {
  expect(ordered([undefined, undefined, undefined])).toEqual(['frame 0', 'frame 1', 'frame 2']);
});
