import { describe, expect, test } from 'vitest';
import { seconds } from '../../../protocol/base/units.ts';
import type { BroadcastOptions } from '../../../session/stream/broadcast.ts';
import { until } from '../../io/net/control-peers.ts';
import { broadcast, FRAME, unit } from './run-broadcast.ts';

describe('pictures beside sound that is read slowly', () => {
  /** Four pictures, and sound at the times of the last two, which comes when it is let go. */
  function slowSound(options: Partial<BroadcastOptions>) {
    const order: string[] = [];
    let letGo = () => {};
    const gate = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const { ends } = broadcast(
      [0, 1, 2, 3].map((index) => unit(index * FRAME)),
      {
        sound: async function* () {
          yield unit(0);
          await gate;
          yield* [2, 3].map((index) => unit(index * FRAME));
        },
        onUnit: ({ timestamp }) => order.push(`picture ${timestamp / FRAME}`),
        onSound: ({ timestamp }) => order.push(`sound ${timestamp / FRAME}`),
        ...options,
      },
    );
    return { order, ends, letGo };
  }

  test('wait for it where they are told to', async () => {
    const { order, ends, letGo } = slowSound({ soundWaitMax: seconds(600) });
    await until('the first sound has come', () => order.includes('sound 0'));
    expect(order).toEqual(['picture 0', 'sound 0']);
    letGo();
    await until('it has ended', () => ends.length > 0);
    expect(order.indexOf('sound 2')).toBeLessThan(order.indexOf('picture 3'));
    expect(order).toHaveLength(7);
  });

  test('go on after the time for which they wait, and without it by default', async () => {
    for (const options of [{}, { soundWaitMax: seconds(0.05) }]) {
      const { order, ends, letGo } = slowSound(options);
      await until('all pictures have come', () => order.includes('picture 3'));
      expect(order).not.toContain('sound 2');
      letGo();
      await until('it has ended', () => ends.length > 0);
    }
  });
});

describe('sound beside pictures', () => {
  /** Units that leave, in order: times in milliseconds, and of sound its decode time. */
  async function leaving(pictures: readonly number[], sounds: readonly number[], options: Partial<BroadcastOptions>) {
    const order: string[] = [];
    const at = (ms: number) => unit(ms * 90);
    const { ends } = broadcast(pictures.map(at), {
      sound: async function* () {
        yield* sounds.map(at);
      },
      onUnit: ({ timestamp }) => order.push(`picture ${timestamp / 90}`),
      onSound: ({ timestamp, decodeTimestamp }) => order.push(`sound ${timestamp / 90} at ${decodeTimestamp / 90}`),
      ...options,
    });
    await until('it has ended', () => ends.length > 0);
    return order;
  }

  test('leaves with the picture before it where that is wanted, on both of its sides', async () => {
    const order = await leaving([0, 30, 60], [5, 25, 45, 65], { bundlesSound: () => true });
    expect(order).toEqual([
      ...['sound 5 at 0', 'picture 0', 'sound 25 at 0', 'sound 45 at 30', 'picture 30', 'sound 65 at 60', 'picture 60'],
    ]);
  });

  test('is handed over between the same two calls as its picture', async () => {
    const handOvers: string[][] = [];
    let open: string[] | undefined;
    await leaving([0, 30, 60], [5, 25, 45], {
      bundlesSound: () => true,
      onHandOver: () => {
        open = [];
        handOvers.push(open);
      },
      onHandedOver: () => {
        open = undefined;
      },
      onUnit: ({ timestamp }) => open?.push(`picture ${timestamp / 90}`),
      onSound: ({ timestamp }) => open?.push(`sound ${timestamp / 90}`),
    });
    const first = handOvers.find((units) => units.includes('picture 0'));
    expect(first?.slice(0, 3)).toEqual(['sound 5', 'picture 0', 'sound 25']);
    expect(handOvers.flat()).toHaveLength(6);
  });

  test('leaves at its own time by default', async () => {
    const order = await leaving([0, 30, 60], [5, 25, 45], {});
    expect(order).toEqual([
      'picture 0',
      'sound 5 at 5',
      'sound 25 at 25',
      'picture 30',
      'sound 45 at 45',
      'picture 60',
    ]);
  });

  test('leaves at most 50 ms early', async () => {
    const order = await leaving([0, 200], [20, 40, 60, 80], { bundlesSound: () => true });
    expect(order).toEqual([
      ...['sound 20 at 0', 'picture 0', 'sound 40 at 0', 'sound 60 at 60', 'sound 80 at 80', 'picture 200'],
    ]);
  });

  test('leaves with a picture behind which none has been read yet, up to the time of a further one', async () => {
    const order: string[] = [];
    let letGo = () => {};
    const gate = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const { ends } = broadcast([], {
      units: async function* () {
        yield* [unit(0), unit(30 * 90)];
        await gate;
        yield unit(60 * 90);
      },
      sound: async function* () {
        yield* [35, 55, 75].map((ms) => unit(ms * 90));
      },
      bundlesSound: () => true,
      onUnit: ({ timestamp }) => {
        order.push(`picture ${timestamp / 90}`);
        if (timestamp === 30 * 90) setImmediate(letGo);
      },
      onSound: ({ timestamp, decodeTimestamp }) => order.push(`sound ${timestamp / 90} at ${decodeTimestamp / 90}`),
    });
    await until('it has ended', () => ends.length > 0);
    expect(order.slice(0, 4)).toEqual(['picture 0', 'sound 35 at 30', 'picture 30', 'sound 55 at 30']);
  });
});
