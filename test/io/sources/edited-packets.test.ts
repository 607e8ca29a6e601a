import { EncodedPacket } from 'mediabunny';
import { expect, test } from 'vitest';
import type { Edit } from '../../../io/mp4/mp4-structure.ts';
import { editedPackets } from '../../../io/sources/edited-packets.ts';
import type { PacketReader } from '../../../io/sources/mp4-packets.ts';
import { all } from './media.ts';

/** Duration of a packet, seconds. */
const PACKET = 0.02;

/** A second of packets, numbered by their first byte, at the times that mediabunny gives them. */
function reader(edits: readonly Edit[]): PacketReader {
  const first = edits.find(({ mediaTime }) => mediaTime !== undefined);
  const shift = first ? first.mediaTime! - first.start : 0;
  const packets = Array.from({ length: 50 }, (_, index) => {
    return new EncodedPacket(Uint8Array.of(index), 'key', index * PACKET - shift, PACKET);
  });
  return {
    async *packets(start) {
      yield* start ? packets.slice(packets.indexOf(start)) : packets;
    },
    getPacket: async (seconds) => packets.findLast(({ timestamp }) => timestamp <= seconds + 1e-9) ?? null,
  };
}

async function heard(edits: readonly Edit[], from?: number) {
  const packets = await all(editedPackets(reader(edits), edits, from));
  return packets.map(({ data, timestamp }) => [data[0], Math.round(timestamp * 1_000)] as const);
}

const numbers = (packets: readonly (readonly [number | undefined, number])[]) => packets.map(([number]) => number);
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

test('reads everything without an edit list, or from a place on', async () => {
  expect(numbers(await heard([]))).toEqual(range(0, 50));
  expect((await heard([], 0.5))[0]).toEqual([25, 500]);
});

test('leaves out what is behind the end of the last edit', async () => {
  const packets = await heard([{ start: 0, duration: 0.61, mediaTime: 0 }]);
  // The packet that the end is in is heard in part.
  expect(numbers(packets)).toEqual(range(0, 31));
});

test('keeps what is before the first edit at its distance, as a decoder begins with it', async () => {
  const packets = await heard([{ start: 0, duration: 10, mediaTime: 0.04 }]);
  expect(packets.slice(0, 3)).toEqual([
    [0, -40],
    [1, -20],
    [2, 0],
  ]);
});

test('plays the edits one after another, where they say', async () => {
  const packets = await heard([
    { start: 0, duration: 0.1, mediaTime: undefined },
    { start: 0.1, duration: 0.2, mediaTime: 0 },
    { start: 0.3, duration: 0.1, mediaTime: undefined },
    { start: 0.4, duration: 0.2, mediaTime: 0.6 },
  ]);
  expect(numbers(packets)).toEqual([...range(0, 10), ...range(30, 40)]);
  expect(packets[0]).toEqual([0, 100]);
  expect(packets[10]).toEqual([30, 400]);
});

test('gives a packet between two edits to the one that has most of it', async () => {
  const packets = await heard([
    { start: 0, duration: 0.105, mediaTime: 0 },
    { start: 0.105, duration: 0.2, mediaTime: 0.513 },
  ]);
  // 5 ms of packet 5 are in the first edit, and 7 of the 20 ms of packet 25 in the second.
  expect(numbers(packets).slice(3, 7)).toEqual([3, 4, 26, 27]);
});

test('begins at a place within a later edit', async () => {
  const edits = [
    { start: 0, duration: 0.2, mediaTime: 0 },
    { start: 0.2, duration: 0.2, mediaTime: 0.6 },
  ];
  expect((await heard(edits, 0.3))[0]).toEqual([35, 300]);
  expect((await heard(edits, 0.1))[0]).toEqual([5, 100]);
});
