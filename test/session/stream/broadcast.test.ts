import { describe, expect, test } from 'vitest';
import type { MediaSource, SoundDescription, SourcePass } from '../../../io/sources/media-source.ts';
import { type AccessUnit, shifted } from '../../../protocol/access-unit.ts';
import { ticks } from '../../../protocol/base/units.ts';
import { until } from '../../io/net/control-peers.ts';
import { broadcast, FRAME, unit } from './run-broadcast.ts';

test('emits all units in order, then the end once', async () => {
  const units = [0, 1, 2, 3].map((index) => unit(index * FRAME));
  const { handed, ends } = broadcast(units);
  await until('it has ended', () => ends.length > 0);
  expect(handed).toEqual(units);
  expect(ends).toEqual([undefined]);
});

describe('a loop', () => {
  test('continues in time, one frame after the previous round', async () => {
    const { handed } = broadcast(
      [0, 1, 2].map((index) => unit(index * FRAME)),
      { loop: true },
    );
    await until('it has gone round', () => handed.length >= 7);
    expect(handed.slice(0, 7).map(({ timestamp }) => timestamp / FRAME)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  test('starts at its place in the first round only, which its position counts', async () => {
    const whole = [0, 1, 2, 3].map((index) => unit(index * FRAME));
    const units = async function* ({ isRepeat = false }: SourcePass = {}) {
      yield* isRepeat ? whole : whole.slice(2).map((each) => shifted(each, ticks(-2 * FRAME)));
    };
    const positions: number[] = [];
    const onUnit = () => void positions.push(Math.round((one.position ?? 0) / 10_000));
    const { one } = broadcast([], { loop: true, units, startSeconds: 0.02, onUnit });
    await until('it has gone round', () => positions.length >= 7);
    expect(positions.slice(0, 7)).toEqual([2, 3, 0, 1, 2, 3, 0]);
  });

  test('takes as long for a round whose end is left out', async () => {
    let round = 0;
    const units = async function* () {
      const frames = round++ === 1 ? 2 : 4;
      for (let index = 0; index < frames; index++) yield unit(index * FRAME);
    };
    const { handed } = broadcast([], { loop: true, units });
    await until('it has gone round', () => handed.length >= 8);
    expect(handed.slice(0, 8).map(({ timestamp }) => timestamp / FRAME)).toEqual([0, 1, 2, 3, 4, 5, 8, 9]);
  });

  test('never decodes backwards with B-frames, whose decoding begins before 0', async () => {
    // Presentation order 0 2 1, decoded two frames earlier: I P B.
    const { handed } = broadcast([unit(-2 * FRAME, 0), unit(-FRAME, 2 * FRAME), unit(0, FRAME)], { loop: true });
    await until('it has gone round', () => handed.length >= 7);
    expect(handed.slice(0, 7).map(({ decodeTimestamp }) => decodeTimestamp / FRAME)).toEqual([-2, -1, 0, 1, 2, 3, 4]);
    expect(handed.slice(0, 7).map(({ timestamp }) => timestamp / FRAME)).toEqual([0, 2, 1, 3, 5, 4, 6]);
  });

  test('has a position in the source that restarts with each round', async () => {
    const positions: number[] = [];
    // Presentation order 0 2 1 as above, in a source that begins at frame 50.
    const units = [unit(48 * FRAME, 50 * FRAME), unit(49 * FRAME, 52 * FRAME), unit(50 * FRAME, 51 * FRAME)];
    const { one, handed } = broadcast(units, {
      loop: true,
      onUnit: (each) => {
        handed.push(each);
        positions.push((one.position ?? Number.NaN) / 10_000);
      },
    });
    expect(one.position).toBeUndefined();
    await until('it has gone round', () => positions.length >= 7);
    expect(positions.slice(0, 7)).toEqual([50, 52, 51, 50, 52, 51, 50]);
  });

  test('ends for an empty source', async () => {
    const { ends } = broadcast([], { loop: true });
    await until('it has ended', () => ends.length > 0);
    expect(ends).toEqual([undefined]);
  });

  test('ends with an error when its source is empty the second time', async () => {
    let round = 0;
    const units = async function* () {
      if (round++ === 0) yield unit(0);
    };
    const { handed, ends } = broadcast([], { loop: true, units });
    await until('it has ended', () => ends.length > 0);
    expect(handed).toHaveLength(1);
    expect((ends[0] as Error).message).toBe('it had pictures, and has none when it is read again');
  });
});

test('emits the units of a failing source, then its error', async () => {
  const { handed, ends } = broadcast([], {
    units: async function* () {
      yield unit(0);
      throw new Error('gone');
    },
  });
  await until('it has ended', () => ends.length > 0);
  expect(handed).toHaveLength(1);
  expect((ends[0] as Error).message).toBe('gone');
});

test('emits nothing after a stop, not even the end', async () => {
  const { one, handed, ends } = broadcast([0, 1, 2].map((index) => unit(index * 90_000)));
  await until('it has begun', () => handed.length === 1);
  one.stop();
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect([handed.length, ends.length]).toEqual([1, 0]);
});

test('reads ahead of the clock by a bounded amount', async () => {
  let read = 0;
  broadcast([], {
    units: async function* () {
      for (let index = 0; index < 10_000; index++) {
        read++;
        yield unit(index * 90_000);
      }
    },
  });
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(read).toBeLessThanOrEqual(40);
});

test('returns the time until the next key frame', async () => {
  const { one, handed } = broadcast([unit(0), unit(9_000_000)]);
  await until('it has begun', () => handed.length === 1);
  await until('the next is read', () => one.nextKeyFrameIn() !== undefined);
  expect(one.nextKeyFrameIn()).toBeGreaterThan(90_000_000);
  expect(one.nextKeyFrameIn()).toBeLessThanOrEqual(100_000_000);
});

describe('a live source', () => {
  test('is passed on when it comes, whatever its clock says', async () => {
    // A second of media in every read, or none: a file would have stalled, or waited.
    const { handed, ends } = broadcast(
      [0, 20, 20, 30, 31].map((index) => unit(index * FRAME)),
      { isLive: true },
    );
    await until('it has ended', () => ends.length > 0);
    expect(handed.map(({ timestamp }) => timestamp / FRAME)).toEqual([0, 20, 20, 30, 31]);
  });

  test('waits when it is far ahead of its clock, as a file in a pipe is', async () => {
    const units = Array.from({ length: 6_000 }, (_, index) => unit(index * FRAME));
    const { handed } = broadcast(units, { isLive: true });
    await until('it has begun', () => handed.length > 50);
    await new Promise((resolve) => setTimeout(resolve, 50));
    // A minute of media; a second of it may be ahead.
    expect(handed.length).toBeLessThan(6_000);
  });
});

describe('a playlist', () => {
  const film = (frames: number, mark: number) =>
    Array.from({ length: frames }, (_, index) => ({ ...unit(index * FRAME), parts: [Uint8Array.of(mark)] }));
  const sourceOf = (units: readonly AccessUnit[], onClose: () => void, sound?: readonly AccessUnit[]): MediaSource => ({
    description: {} as MediaSource['description'],
    sound: sound && {
      description: {} as SoundDescription,
      units: async function* () {
        yield* sound;
      },
    },
    units: async function* () {
      yield* units;
    },
    close: async () => onClose(),
  });

  test('plays its entries in turn on one timeline, with their sound, and closes them', async () => {
    let [opened, closed] = [0, 0];
    const heard: number[] = [];
    const { handed, ends } = broadcast(film(3, 1), {
      playlist: {
        length: 2,
        open: async () => {
          opened++;
          return sourceOf(film(2, 2), () => closed++, [unit(0), unit(FRAME)]);
        },
      },
      sound: async function* () {
        yield* [unit(0), unit(FRAME), unit(2 * FRAME), unit(3 * FRAME)];
      },
      onSound: ({ timestamp }) => heard.push(timestamp / FRAME),
    });
    await until('it has ended', () => ends.length > 0);
    expect(handed.map(({ timestamp, parts }) => [timestamp / FRAME, parts[0]![0]])).toEqual([
      ...[0, 1, 2].map((at) => [at, 1]),
      ...[3, 4].map((at) => [at, 2]),
    ]);
    // The sound of the first entry is longer than its pictures, and ends with them.
    expect(heard).toEqual([0, 1, 2, 3, 4]);
    expect(ends).toEqual([undefined]);
    await until('all are closed', () => closed === opened);
  });

  test('ends the sound of an entry at the next one, which has none', async () => {
    const heard: number[] = [];
    // Long enough for the next entry to be read before the end of this one, on a busy machine too.
    const { ends } = broadcast(film(20, 1), {
      playlist: { length: 2, open: async () => sourceOf(film(10, 2), () => {}) },
      // A second of sound, which is read ahead of the pictures.
      sound: async function* () {
        for (let index = 0; index < 100; index++) yield unit(index * FRAME);
      },
      onSound: ({ timestamp }) => heard.push(timestamp / FRAME),
    });
    await until('it has ended', () => ends.length > 0);
    expect(heard).toEqual(Array.from({ length: 20 }, (_, index) => index));
  });

  test('leaves an entry out that cannot be opened, and goes on with --loop', async () => {
    const skipped: unknown[] = [];
    const gone = new Error('it is gone');
    const { handed, one } = broadcast(film(2, 1), {
      loop: true,
      playlist: { length: 2, open: () => Promise.reject(gone) },
      onSkipped: (error) => skipped.push(error),
    });
    await until('it has gone round', () => handed.length >= 5);
    one.stop();
    expect(handed.slice(0, 5).map(({ timestamp }) => timestamp / FRAME)).toEqual([0, 1, 2, 3, 4]);
    expect(skipped[0]).toBe(gone);
  });

  test.each<[string, () => AsyncGenerator<AccessUnit>, RegExp]>([
    [
      'fails while it is read',
      async function* () {
        yield unit(0);
        throw new Error('a damaged block');
      },
      /a damaged block/,
    ],
    ['has no pictures', async function* () {}, /entry 2 has no pictures/],
  ])('goes on with the next entry after one that %s', async (_, units, reason) => {
    const skipped: unknown[] = [];
    const open = async (index: number) => ({ ...sourceOf(film(2, 3), () => {}), ...(index === 1 && { units }) });
    const { handed, ends } = broadcast(film(2, 1), {
      playlist: { length: 3, open },
      onSkipped: (error) => skipped.push(error),
    });
    await until('it has ended', () => ends.length > 0);
    expect(handed.map(({ parts }) => parts[0]![0]).filter((mark) => mark !== 0x65)).toEqual([1, 1, 3, 3]);
    expect(skipped).toEqual([expect.objectContaining({ message: expect.stringMatching(reason) })]);
    expect(ends).toEqual([undefined]);
  });

  test('goes on where the first entry is gone in a later cycle', async () => {
    let cycle = 0;
    const { handed } = broadcast([], {
      loop: true,
      units: async function* () {
        if (cycle++ > 0) throw new Error('it is gone');
        yield* film(2, 1);
      },
      playlist: { length: 2, open: async () => sourceOf(film(1, 2), () => {}) },
    });
    await until('it has gone round', () => handed.length >= 5);
    expect(handed.slice(0, 5).map(({ parts }) => parts[0]![0])).toEqual([1, 1, 2, 2, 2]);
  });

  test('ends with the error when no entry of a cycle has given anything', async () => {
    const { handed, ends } = broadcast([], {
      loop: true,
      units: async function* () {
        yield await Promise.reject(new Error('the disk is gone'));
      },
      playlist: { length: 3, open: () => Promise.reject(new Error('this as well')) },
    });
    await until('it has ended', () => ends.length > 0);
    expect(handed).toEqual([]);
    expect((ends[0] as Error).message).toBe('this as well');
  });

  test('has a position among all its entries, which restarts with each cycle', async () => {
    const positions: number[] = [];
    const { one } = broadcast(film(3, 1), {
      loop: true,
      playlist: { length: 2, open: async () => sourceOf(film(2, 2), () => {}) },
      onUnit: () => positions.push((one.position ?? Number.NaN) / 10_000),
    });
    await until('it has gone round', () => positions.length >= 7);
    expect(positions.slice(0, 7)).toEqual([0, 1, 2, 3, 4, 0, 1]);
  });

  test('closes the entry that is read when it is stopped', async () => {
    let [opened, closed] = [0, 0];
    const open = async () => {
      opened++;
      return sourceOf(film(1_000, 2), () => closed++);
    };
    const { handed, one } = broadcast(film(1, 1), { playlist: { length: 2, open } });
    await until('the second entry plays', () => handed.length >= 3);
    one.stop();
    await until('it is closed', () => closed === 1);
    expect(opened).toBe(1);
  });
});
