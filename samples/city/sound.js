import { randomFrom } from './canvas.js';

export const SOUND_RATE = 48_000;
/** Chords of four bars, as semitones above A2. */
const CHORDS = [
  [0, 7, 12, 16],
  [-4, 3, 8, 12],
  [3, 10, 15, 19],
  [-2, 5, 10, 14],
];
const BEATS_PER_CHORD = 4;
const frequencyOf = (semitones) => 110 * 2 ** (semitones / 12);

/** Street noise, a slow arpeggio, and a tick with each second of the scoreboard: mono, 16 bits. */
export function citySound(seconds) {
  const samples = new Int16Array(seconds * SOUND_RATE);
  const random = randomFrom(404);
  let street = 0;
  let rumble = 0;
  for (let at = 0; at < samples.length; at++) {
    const time = at / SOUND_RATE;
    street += (random() * 2 - 1 - street) * 0.09;
    rumble += (street - rumble) * 0.02;
    const passing = 0.5 + 0.5 * Math.sin(time * 0.9) * Math.sin(time * 0.37);
    samples[at] = Math.round(32_767 * 0.7 * (music(time) + tick(time) + (street * 0.05 + rumble * 0.6) * passing));
  }
  return new Uint8Array(samples.buffer);
}

function music(time) {
  const beat = time * 2;
  const chord = CHORDS[Math.floor(time / BEATS_PER_CHORD) % CHORDS.length];
  let sum = 0;
  // Each note fades over two beats: the last four are heard together.
  for (let back = 0; back < 4; back++) {
    const number = Math.floor(beat) - back;
    if (number < 0) continue;
    const tone = CHORDS[Math.floor(number / (2 * BEATS_PER_CHORD)) % CHORDS.length][number % 4];
    const age = (beat - number) / 2;
    const wave =
      Math.sin(2 * Math.PI * frequencyOf(tone + 12) * time) +
      0.3 * Math.sin(4 * Math.PI * frequencyOf(tone + 12) * time);
    sum += wave * Math.min(1, age * 90) * Math.exp(-age * 2.6) * 0.16;
  }
  return sum + 0.06 * Math.sin(2 * Math.PI * frequencyOf(chord[0]) * time);
}

function tick(time) {
  const age = time % 1;
  return age < 0.05 ? 0.3 * Math.sin(2 * Math.PI * 1_760 * age) * Math.exp(-age * 90) : 0;
}
