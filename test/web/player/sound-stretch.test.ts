import { expect, test } from 'vitest';
import { SoundStretch } from '../../../web/player/sound-stretch.ts';

const RATE = 48_000;
const CHUNK = 960;

const sine = (hertz: number) => (at: number) => Math.sin((2 * Math.PI * hertz * at) / RATE);

/** Runs chunks of a sound through a stretch. @returns the output, and the place in the input of each sample. */
function stretched(sound: (at: number) => number, ratio: number, chunks = 50): { output: number[]; places: number[] } {
  const stretch = new SoundStretch();
  const [output, places]: [number[], number[]] = [[], []];
  for (let chunk = 0; chunk < chunks; chunk++) {
    const input = Float32Array.from({ length: CHUNK }, (_, index) => sound(chunk * CHUNK + index));
    const { channels, from } = stretch.process([input], ratio);
    for (const [index, sample] of channels[0]!.entries()) {
      output.push(sample);
      places.push(chunk * CHUNK + from + index * ratio);
    }
  }
  return { output, places };
}

test('passes samples unchanged and without delay while nothing is corrected', () => {
  const { output } = stretched(sine(997), 1);
  expect(output).toEqual(Array.from({ length: 50 * CHUNK }, (_, at) => Math.fround(sine(997)(at))));
});

test.each([
  [200, 997],
  [-200, 997],
  [500, 997],
  [200, 10_007],
  [-200, 15_013],
])('at %i parts per million, a tone of %i Hz differs from the tone itself by less than −75 dB', (ppm, hertz) => {
  const sound = sine(hertz);
  const { output, places } = stretched(sound, 1 + ppm / 1e6);
  // The kernel begins in silence.
  const errors = output.map((sample, index) => Math.abs(sample - sound(places[index]!))).slice(64);
  expect(Math.max(...errors)).toBeLessThan(10 ** (-75 / 20));
});

test.each([200, -200])(
  'at %i parts per million, makes as many samples fewer or more, and goes on from chunk to chunk',
  (ppm) => {
    const ratio = 1 + ppm / 1e6;
    const { output, places } = stretched(sine(997), ratio, 100);
    expect(Math.abs(output.length - (100 * CHUNK) / ratio)).toBeLessThan(18);
    const steps = places.slice(1).map((place, index) => place - places[index]!);
    expect(steps.filter((step) => Math.abs(step - ratio) > 1e-6)).toEqual([]);
  },
);
