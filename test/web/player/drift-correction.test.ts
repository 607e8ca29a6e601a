import { expect, test } from 'vitest';
import { SoundBuffer } from '../../../web/player/sound-buffer.ts';

/** A low rate, so that ten minutes are played in a second. */
const RATE = 8_000;
const CHUNK = 160;
const BLOCK = 32;
const MINUTES = 10;

/** Plays sound of a sender whose clock is faster by `ppm`, with chunks that come up to `jitterMs` late. */
function play(ppm: number, jitterMs: number) {
  const buffer = new SoundBuffer(RATE);
  const output = new Float32Array(BLOCK);
  const samples = new Float32Array(CHUNK);
  const chunkSeconds = CHUNK / RATE / (1 + ppm / 1e6);
  let [chunk, seed, least, most, mediaErrorMs] = [0, 1, Number.POSITIVE_INFINITY, 0, 0];
  for (let block = 0; block < (MINUTES * 60 * RATE) / BLOCK; block++) {
    const seconds = (block * BLOCK) / RATE;
    while (chunk * chunkSeconds + (seed / 2 ** 31) * (jitterMs / 1_000) <= seconds) {
      buffer.push({ timeUs: chunk++ * 20_000, channels: [samples] });
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    }
    buffer.read([output]);
    const { timeUs } = buffer;
    if (seconds < 60 || timeUs === undefined) continue;
    least = Math.min(least, buffer.bufferedMs);
    most = Math.max(most, buffer.bufferedMs);
    mediaErrorMs = Math.max(mediaErrorMs, Math.abs(chunk * 20 - timeUs / 1_000 - buffer.bufferedMs));
  }
  const { concealedMs, cutMs, correctionPpm } = buffer;
  return { least, most, mediaErrorMs, concealedMs, cutMs, correctionPpm };
}

test.each([200, -200])(
  'follows a sender whose clock differs by %i parts per million, without a cut or a gap',
  (ppm) => {
    const played = play(ppm, 0);
    expect(played).toMatchObject({ cutMs: 0, concealedMs: 0 });
    expect(played.least).toBeGreaterThan(40);
    expect(played.most).toBeLessThan(110);
    expect(Math.abs(played.correctionPpm - ppm)).toBeLessThan(40);
    // The media time that pictures are held for stays that of the samples.
    expect(played.mediaErrorMs).toBeLessThan(5);
  },
);

test('follows it with chunks that come up to 30 ms late', () => {
  const played = play(200, 30);
  expect(played).toMatchObject({ cutMs: 0, concealedMs: 0 });
  expect(played.most).toBeLessThan(140);
});

test('leaves equal clocks alone, but for what a frame more or less waits', () => {
  expect(Math.abs(play(0, 0).correctionPpm)).toBeLessThan(30);
});
