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

test('counts silence for want of sound as concealed, and fills up to what would have been enough before it plays again', () => {
  const buffer = filled(0, 4);
  for (let index = 0; index < 6; index++) played(buffer);
  expect(buffer.concealedMs).toBe(40);
  buffer.push(chunk(4));
  expect(played(buffer).every((sample) => sample === 0)).toBe(true);
  filled(5, 10, buffer);
  expect(played(buffer).every((sample) => sample === 0)).toBe(true);
  buffer.push(chunk(10));
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

/** A low rate, so that minutes are played at once. */
const LOW_RATE = 2_000;
const LOW_CHUNK = LOW_RATE / 50;

/** Plays a stream whose chunks come at their time, but all those of a pause, one every ten seconds, at its end. */
class StreamWithPauses {
  readonly buffer = new SoundBuffer(LOW_RATE);
  #pushed = 0;
  #index = 0;

  /** @returns what was concealed and cut meanwhile. */
  play(seconds: number, pauseMs: number): { readonly concealedMs: number; readonly cutMs: number } {
    const { concealedMs, cutMs } = this.buffer;
    const output = new Float32Array(LOW_CHUNK);
    for (const end = this.#index + seconds * 50; this.#index < end; this.#index++) {
      const isPaused = (this.#index * 20) % 10_000 < pauseMs;
      while (!isPaused && this.#pushed <= this.#index) {
        const timeUs = this.#pushed++ * CHUNK_US;
        this.buffer.push({ timeUs, channels: [new Float32Array(LOW_CHUNK).fill(0.5)] });
      }
      this.buffer.read([output]);
    }
    return { concealedMs: this.buffer.concealedMs - concealedMs, cutMs: this.buffer.cutMs - cutMs };
  }
}

test('waits longer after sound came too late, so that later pauses of the same length are not heard', () => {
  const stream = new StreamWithPauses();
  expect(stream.play(22, 300).concealedMs).toBeGreaterThan(100);
  expect(stream.play(300, 300)).toEqual({ concealedMs: 0, cutMs: 0 });
});

test('does not wait longer for sound that was lost', () => {
  const buffer = filled(0, 4);
  for (let index = 0; index < 8; index++) played(buffer);
  filled(8, 12, buffer);
  expect(buffer.targetMs).toBe(80);
});

test('waits less again, without a cut, when nothing was late for long', () => {
  const stream = new StreamWithPauses();
  stream.play(22, 300);
  expect(stream.buffer.targetMs).toBeGreaterThan(200);
  expect(stream.play(600, 0)).toEqual({ concealedMs: 0, cutMs: 0 });
  expect(stream.buffer.targetMs).toBe(80);
  expect(stream.buffer.bufferedMs).toBeLessThan(140);
});
