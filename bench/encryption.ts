import { loadOf, type Reading, runOurs } from './cpu.ts';
import type { BenchPart } from './part.ts';
import { median, textTable } from './table.ts';

const SIDES = ['sender', 'receiver'] as const;

/** CPU time of sender and receiver with and without encryption, at the same time, and what encryption adds. */
export const encryption: BenchPart = async (context) => {
  const { rates, rounds, progress, quick } = context;
  const measureMs = quick ? 4_000 : 20_000;
  const rows: string[][] = [];
  const figures: unknown[] = [];
  for (const rate of rates.filter((each) => each < 500)) {
    progress(`encryption: clip of ${rate} Mb/s`);
    const load = await loadOf(rate, context);
    const pairs: { readonly plain: Reading; readonly encrypted: Reading }[] = [];
    for (let round = 1; round <= rounds; round++) {
      progress(`encryption: ${load.name}, round ${round} of ${rounds}`);
      // Both at once, as a machine's caches and clock change from minute to minute.
      const [plain, encrypted] = await Promise.all(
        [false, true].map((encrypted) => runOurs(load, measureMs, context, { encrypted })),
      );
      pairs.push({ plain: plain!, encrypted: encrypted! });
    }
    for (const side of SIDES) {
      const added = pairs.map(({ plain, encrypted }) => encrypted[side] / plain[side] - 1);
      rows.push([
        `${load.name}, ${side}`,
        median(pairs.map(({ plain }) => plain[side])).toFixed(3),
        median(pairs.map(({ encrypted }) => encrypted[side])).toFixed(3),
        `${(median(added) * 100).toFixed(0)} %`,
        `${added.map((each) => `${(each * 100).toFixed(0)} %`).join(' · ')}`,
      ]);
      figures.push({ load: load.name, side, pairs, added });
    }
    const delivered = (pick: 'plain' | 'encrypted') =>
      `${(median(pairs.map((pair) => pair[pick].delivered)) * 100).toFixed(1)} %`;
    rows.push([`${load.name}, delivered`, delivered('plain'), delivered('encrypted'), '', '']);
  }
  const text = [
    'CPU time, user and system, in milliseconds per megabit of media; loopback, medians of pairs that ran at the same time.',
    `Steady: ${measureMs / 1_000} s. Encrypted: TLS 1.3 with a passphrase, SRTP with AEAD_AES_128_GCM.`,
    '',
    textTable(['', 'plain', 'encrypted', 'more', 'each pair'], rows),
  ].join('\n');
  return { text, figures };
};
