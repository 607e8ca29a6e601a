import { parseLink } from '../../sim/link/link-parse.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import { RandomStream } from '../../sim/random.ts';

/** A path with known parameters, and how a capture of it is made. */
export interface Truth {
  readonly seed: number;
  readonly line: string;
  readonly link: LinkSpecification;
  readonly sides: 'one' | 'two';
  readonly packets: number;
  /** Media: pictures of several packets at 30 a second, or single packets (sound) every 20 ms. */
  readonly media: 'pictures' | 'sound';
  /** Difference of the receiver's clock from the sender's, microseconds and parts in a million. */
  readonly offsetUs: number;
  readonly driftPpm: number;
}

/** Draws a path: loss, delay, order, rate, reordering and clocks at random, each alone or together. */
export function drawTruth(seed: number, packets: number): Truth {
  const random = new RandomStream(seed, 'capture-study');
  let draw = 0;
  const uniform = (low: number, high: number): number => low + ((high - low) * random.uint32(draw++)) / 2 ** 32;
  const logarithmic = (low: number, high: number): number => low * (high / low) ** uniform(0, 1);
  const one = <T>(...of: readonly T[]): T => of[Math.floor(uniform(0, of.length))]!;
  const percent = (low: number, high: number): string => `${(100 * logarithmic(low, high)).toFixed(4)}%`;
  const sides = one('one', 'two');
  const loss = one(
    '',
    `loss=${percent(0.002, 0.1)}`,
    `loss=${percent(0.005, 0.1)} burst=${uniform(1.3, 8).toFixed(3)}`,
    `loss=${percent(0.005, 0.1)} burst=${uniform(1.3, 8).toFixed(3)}`,
    `ge=${percent(0.003, 0.03)}/${percent(0.03, 0.4)}/${percent(0.3, 0.9)}/${percent(0.0005, 0.01)}`,
  );
  const jitter = Math.round(logarithmic(500, 40_000));
  const delay = one(
    'delay=20ms',
    `delay=20ms jitter=${jitter}us`,
    `delay=20ms jitter=${jitter}us order=kept`,
    `delay=20ms fifo-jitter=${jitter}us`,
    `delay=200ms jitter=${jitter}us dist=normal`,
    `delay=200ms jitter=${jitter}us dist=normal order=kept`,
    `delay=200ms jitter=${jitter}us dist=pareto`,
    `delay=200ms jitter=${jitter}us dist=pareto order=kept`,
  );
  const still = delay === 'delay=20ms';
  const slip = still && one(true, false) ? `slip=${percent(0.003, 0.03)}/${one(1, 2, 3, 5)}` : '';
  const media = sides === 'two' && still && slip === '' ? 'pictures' : one('pictures', 'sound');
  // A line shows itself by its trains, which reordering and jitter hide.
  const rate =
    sides === 'two' && still && slip === '' && one(true, false) ? `rate=${Math.round(logarithmic(4e6, 4e7))}bit` : '';
  const line = [loss, delay, slip, rate, `seed=${seed}`].filter((word) => word !== '').join(' ');
  return {
    seed,
    line,
    link: parseLink(line),
    sides,
    packets,
    media,
    offsetUs: Math.round(uniform(-1e6, 1e6)),
    driftPpm: one(0, uniform(-50, 50)),
  };
}
