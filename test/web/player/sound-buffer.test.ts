import { expect, test } from 'vitest';
import { SoundBuffer } from '../../../web/player/sound-buffer.ts';

const RATE = 48_000;
const CHUNK = 960;
const CHUNK_US = 20_000;

const chunk = (index: number, value = 0.5) => ({
  timeUs: index * CHUNK_US,
  channels: [new Float32Array(CHUNK).fill(value)],
});

/** A buffer that has the chunks from `from` up to `until`. */
function filled(from: number, until: number, buffer = new SoundBuffer(RATE)): SoundBuffer {
  for (let index = from; index < until; index++) buffer.push(chunk(index));
  return buffer;
}

/** Reads as many samples as a chunk has. */
function played(buffer: SoundBuffer): Float32Array {
  const output = new Float32Array(CHUNK);
  buffer.read([output]);
  return output;
}

test('plays once 80 ms wait, and tells the media time of the next sample', () => {
  const buffer = filled(50, 53);
  expect(played(buffer).every((sample) => sample === 0)).toBe(true);
  expect(buffer.timeUs).toBeUndefined();
  buffer.push(chunk(53));
  expect(played(buffer)[500]).toBe(0.5);
  expect(buffer.timeUs).toBe(51 * CHUNK_US);
  expect(buffer.concealedMs).toBe(0);
});

test('conceals a lost chunk by a fade, and keeps the times of those after it', () => {
  const buffer = filled(5, 9, filled(0, 4));
  expect(buffer.concealedMs).toBe(20);
  for (let index = 0; index < 4; index++) played(buffer);
  const gap = played(buffer);
  expect([gap[0], gap[480], gap[959]! < 0.001]).toEqual([0.5, 0.25, true]);
  expect(buffer.timeUs).toBe(5 * CHUNK_US);
  const after = played(buffer);
  expect([after[0], after[120], after[500]]).toEqual([0, 0.25, 0.5]);
});

test('counts silence for want of sound as concealed, and fills up before it plays again', () => {
  const buffer = filled(0, 4);
  for (let index = 0; index < 6; index++) played(buffer);
  expect(buffer.concealedMs).toBe(40);
  buffer.push(chunk(4));
  expect(played(buffer).every((sample) => sample === 0)).toBe(true);
  filled(5, 8, buffer);
  expect(played(buffer)[500]).toBe(0.5);
});

test('cuts what has waited for a second without need', () => {
  const buffer = filled(0, 20);
  for (let index = 20; index < 75; index++) {
    played(buffer);
    buffer.push(chunk(index));
  }
  expect(buffer.cutMs).toBeGreaterThan(200);
  expect(buffer.bufferedMs).toBeLessThanOrEqual(200);
});

test('begins again after a step of the times, and drops sound that comes twice', () => {
  const buffer = filled(0, 5);
  buffer.push(chunk(3));
  expect(buffer.bufferedMs).toBe(100);
  buffer.push(chunk(500));
  expect(buffer.bufferedMs).toBe(20);
});

test('is bounded while nobody reads', () => {
  expect(filled(0, 1_000).bufferedMs).toBeLessThanOrEqual(2_100);
});
