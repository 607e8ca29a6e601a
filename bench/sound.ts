import { withSound } from './clips.ts';
import { loadOf, type Reading, runOurs } from './cpu.ts';
import type { BenchPart } from './part.ts';
import { median, textTable } from './table.ts';

/** Bit rate of the pictures, Mb/s. */
const RATE = 4;
const SIDES = ['sender', 'receiver'] as const;

/** CPU time of sender and receiver with sound beside pictures of 4 Mb/s, and without, at the same time. */
export const sound: BenchPart = async (context) => {
  const { rounds, progress, quick, programs } = context;
  const measureMs = quick ? 4_000 : 20_000;
  progress(`sound: clip of ${RATE} Mb/s`);
  const silent = await loadOf(RATE, context);
  const load = { ...silent, input: await withSound(silent.input, programs) };
  const pairs: { readonly silent: Reading; readonly heard: Reading }[] = [];
  for (let round = 1; round <= rounds; round++) {
    progress(`sound: round ${round} of ${rounds}`);
    // Both at once, as a machine's caches and clock change from minute to minute; the first to start changes.
    const order = round % 2 === 0 ? [false, true] : [true, false];
    const readings = await Promise.all(order.map((sound) => runOurs(load, measureMs, context, { sound })));
    pairs.push({ silent: readings[order.indexOf(false)]!, heard: readings[order.indexOf(true)]! });
  }
  const rows: string[][] = [];
  const figures: unknown[] = [];
  for (const side of SIDES) {
    const added = pairs.map(({ silent, heard }) => heard[side] / silent[side] - 1);
    const medianOf = (which: 'silent' | 'heard') => median(pairs.map((pair) => pair[which][side]));
    rows.push([
      side,
      medianOf('silent').toFixed(3),
      medianOf('heard').toFixed(3),
      `${(median(added) * 100).toFixed(0)} %`,
      added.map((each) => `${(each * 100).toFixed(0)} %`).join(' · '),
    ]);
    figures.push({ side, pairs, added });
  }
  const text = [
    `CPU time, user and system, in milliseconds per megabit of pictures; ${load.name}, loopback, medians of pairs that ran at the same time.`,
    `Steady: ${measureMs / 1_000} s. Sound: Opus of 128 kb/s, 50 packets a second; without: --no-audio.`,
    '',
    textTable(['', 'without', 'with sound', 'more', 'each pair'], rows),
  ].join('\n');
  return { text, figures };
};
