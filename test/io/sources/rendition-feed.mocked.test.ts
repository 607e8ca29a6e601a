import { expect, onTestFinished, test, vi } from 'vitest';
import { RenditionFeed } from '../../../io/sources/rendition-feed.ts';
import type { RenditionPlan } from '../../../io/sources/rendition-plan.ts';
import type { RenditionPicture } from '../../../io/sources/rendition-run.ts';
import { instant, milliseconds, ticks } from '../../../protocol/base/units.ts';

let clock = milliseconds(0);
vi.mock('../../../io/os/clock.ts', () => ({ now: () => instant(clock) }));

const FRAME = 3_000;

/** A feed whose pictures are encoded when the test says so; its plans in turn. */
function feedOf(canSeek: boolean) {
  const plans: number[] = [];
  let room = 0;
  let wake = () => {};
  const start = (from: number, plan: number) => {
    plans.push(plan);
    return {
      async *pictures(): AsyncGenerator<RenditionPicture> {
        for (let timestamp = from; ; timestamp += FRAME) {
          while (room === 0) {
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
          }
          room--;
          yield { timestamp: ticks(timestamp), isKey: true, encodes: [[]], plan: {} as RenditionPlan };
        }
      },
      close: async () => {},
    };
  };
  const options = { start, plans: 2, canSeek, interval: ticks(FRAME), onRestart: () => {}, onPlan: () => {} };
  const feed = new RenditionFeed(options, { from: ticks(0), plan: 0 });
  onTestFinished(() => feed.close());
  const encode = async (pictures: number) => {
    room += pictures;
    wake();
    await new Promise(setImmediate);
  };
  const take = async (pictures: number) => {
    for (let count = 0; count < pictures; count++) await feed.next();
  };
  const pass = (seconds: number) => {
    clock = milliseconds(clock / 1_000 + seconds * 1_000);
  };
  return { encode, take, pass, plans };
}

test('a run that waited because enough was ahead is not too slow', async () => {
  const { encode, take, pass, plans } = feedOf(true);
  await encode(120);
  pass(60);
  await take(100);
  await encode(5);
  await take(15);
  expect(plans).toEqual([0]);
});

test.each([
  { canSeek: true, expected: [0, 1] },
  { canSeek: false, expected: [0] },
])(
  'a run that is slower than real time makes way for the next plan: $canSeek where it can seek',
  async ({ canSeek, expected }) => {
    const { encode, take, pass, plans } = feedOf(canSeek);
    await encode(1);
    pass(3);
    await encode(10);
    await take(2);
    expect(plans).toEqual(expected);
  },
);
