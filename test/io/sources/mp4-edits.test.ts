import { expect, test } from 'vitest';
import type { Edit } from '../../../io/mp4/mp4-structure.ts';
import { applyEdits, editsFrom } from '../../../io/sources/mp4-edits.ts';
import { all } from './media.ts';

const FRAME = 0.04;

/** Sixty frames in decode order, a sync sample every thirty; each P is shown after the B behind it. */
const FILM = Array.from({ length: 60 }, (_, index) => {
  const inGroup = index % 30;
  const shown = inGroup === 0 || inGroup === 29 ? index : inGroup % 2 === 1 ? index + 1 : index - 1;
  return { mediaTime: shown * FRAME, duration: FRAME, isSync: inGroup === 0 };
});

async function* read(from: number) {
  const start = FILM.findLastIndex((sample) => sample.isSync && sample.mediaTime <= from);
  yield* FILM.slice(Math.max(0, start));
}

const presented = async (edits: readonly Edit[]) => {
  const placed = await all(applyEdits(edits, read));
  const shown = placed.filter((each) => !each.decodeOnly).map((each) => Math.round(each.shownAt / FRAME) + 0);
  return { placed, shown: shown.sort((a, b) => a - b), hidden: placed.length - shown.length };
};

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

test('shows everything where there is no edit list', async () => {
  expect(await presented([])).toMatchObject({ shown: numbers(0, 60), hidden: 0 });
});

test('decodes pictures trimmed from the beginning, from the sync sample before them, without showing them', async () => {
  const edits = [{ start: 0, duration: 0.8, mediaTime: 40 * FRAME }];
  // From frame 30 on, and up to the last one that a picture before the end may refer to.
  expect(await presented(edits)).toMatchObject({ shown: numbers(0, 20), hidden: 10 });
});

test('omits pictures trimmed from the end, except one that a shown picture refers to', async () => {
  // Frame 9 is a B picture that is decoded behind frame 10, which is cut away.
  const edits = [{ start: 0, duration: 10 * FRAME, mediaTime: 0 }];
  const { placed, shown, hidden } = await presented(edits);
  expect(shown).toEqual(numbers(0, 10));
  expect(hidden).toBe(1);
  expect(placed.findIndex((each) => each.decodeOnly)).toBe(9);
});

test('starts later after an empty edit', async () => {
  const edits = [
    { start: 0, duration: 1, mediaTime: undefined },
    { start: 1, duration: 2.4, mediaTime: 0 },
  ];
  expect((await presented(edits)).shown).toEqual(numbers(25, 85));
});

test('shows two parts of the media one after the other, even if the second comes first in the file', async () => {
  const edits = [
    { start: 0, duration: 0.4, mediaTime: 35 * FRAME },
    { start: 0.4, duration: 0.4, mediaTime: 5 * FRAME },
  ];
  const { placed, shown } = await presented(edits);
  expect(shown).toEqual(numbers(0, 20));
  // The frames decoded for the second part fit between two frames that are shown.
  const second = placed.slice(placed.findLastIndex((each) => each.sample.isSync)).filter((each) => each.decodeOnly);
  expect(second.length).toBeGreaterThan(0);
  for (const each of second)
    expect(Math.abs(each.shownAt - 0.4 + FRAME / 4) <= FRAME / 4 + 1e-9 || each.shownAt >= 0.8 - FRAME).toBe(true);
});

test('a later start shortens the edit that it is in, and leaves out those before it', async () => {
  const edits = [
    { start: 0, duration: 10 * FRAME, mediaTime: 0 },
    { start: 10 * FRAME, duration: 5 * FRAME, mediaTime: undefined },
    { start: 15 * FRAME, duration: 20 * FRAME, mediaTime: 40 * FRAME },
  ];
  expect(await presented(editsFrom(edits, 12 * FRAME))).toMatchObject({ shown: numbers(3, 23), hidden: 10 });
  expect(await presented(editsFrom(edits, 20 * FRAME))).toMatchObject({ shown: numbers(0, 15), hidden: 15 });
  expect(await presented(editsFrom(edits, 35 * FRAME))).toMatchObject({ shown: [], hidden: 0 });
  expect(await presented(editsFrom([], 40 * FRAME))).toMatchObject({ shown: numbers(0, 20), hidden: 10 });
});
