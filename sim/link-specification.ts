import { malformed, type Parsed, parsed } from '../protocol/parsed.ts';

/** One direction of an impaired path. Stages in order: queue and serializer, loss, duplication, delay and jitter. */
export interface LinkSpecification {
  /** Mean share of datagrams lost, 0 … 1. */
  readonly loss: number;
  /** Mean length of a run of losses in datagrams (Gilbert's model); 1 or less than 1/(1 − loss): independent losses. */
  readonly burst: number;
  /** Propagation delay, microseconds. */
  readonly delay: number;
  /** Extra delay, uniform in 0 … jitter, microseconds. */
  readonly jitter: number;
  /** Whether jitter may put datagrams out of order. */
  readonly order: 'free' | 'kept';
  /** Share of datagrams delivered twice, 0 … 1. */
  readonly duplicate: number;
  /** Share of datagrams delivered with one bit flipped, 0 … 1. */
  readonly corrupt: number;
  /** Bottleneck rate, bits a second; 0: none. */
  readonly rate: number;
  /** Longest time that a datagram may wait for the bottleneck before it is dropped at the tail, microseconds. */
  readonly queue: number;
  /** Which of the repeatable paths: same seed, same fates. */
  readonly seed: number;
}

export const CLEAN_LINK: LinkSpecification = {
  loss: 0,
  burst: 1,
  delay: 0,
  jitter: 0,
  order: 'free',
  duplicate: 0,
  corrupt: 0,
  rate: 0,
  queue: 200_000,
  seed: 1,
};

type Reader = (text: string) => number | undefined;

function scaled(units: Readonly<Record<string, number>>, max: number): Reader {
  return (text) => {
    const match = /^(\d+(?:\.\d+)?(?:e-\d+)?)([a-z%]*)$/i.exec(text);
    const factor = match ? units[match[2]!.toLowerCase()] : undefined;
    if (!match || factor === undefined) return undefined;
    const value = Number(match[1]) * factor;
    return value <= max ? value : undefined;
  };
}

const share = scaled({ '%': 0.01, '': 1 }, 1);
const time = scaled({ us: 1, ms: 1_000, s: 1_000_000 }, 60_000_000);
const rate = scaled({ bit: 1, kbit: 1e3, mbit: 1e6, gbit: 1e9 }, 1e12);
const count = scaled({ '': 1 }, 0xffff_ffff);

const SEED_EXPECTED = 'a whole number from 0 to 4294967295';

const FIELDS: Readonly<Record<string, { field: keyof LinkSpecification; read: Reader; expected: string }>> = {
  loss: { field: 'loss', read: share, expected: 'a share such as 5% or 0.05' },
  burst: { field: 'burst', read: count, expected: 'a mean run of losses in datagrams, such as 3' },
  delay: { field: 'delay', read: time, expected: 'a time with its unit, such as 20ms, at most 60s' },
  jitter: { field: 'jitter', read: time, expected: 'a time with its unit, such as 2ms, at most 60s' },
  dup: { field: 'duplicate', read: share, expected: 'a share such as 0.1%' },
  corrupt: { field: 'corrupt', read: share, expected: 'a share such as 0.1%' },
  rate: { field: 'rate', read: rate, expected: 'a bit rate with its unit, such as 8mbit' },
  queue: { field: 'queue', read: time, expected: 'a time with its unit, such as 100ms' },
  seed: { field: 'seed', read: count, expected: SEED_EXPECTED },
};

/**
 * Reads a link's one-line form, such as `loss=5% delay=20ms jitter=2ms burst=3 dup=0.1% rate=8mbit seed=1`.
 * Blanks or commas separate; what is not named is a clean link's. An error names the word and what was expected.
 */
export function parseLinkSpecification(text: string): Parsed<LinkSpecification> {
  const link: { -readonly [K in keyof LinkSpecification]: LinkSpecification[K] } = { ...CLEAN_LINK };
  for (const word of text.split(/[\s,]+/).filter((w) => w.length > 0)) {
    const [name = '', ...values] = word.split('=');
    const value = values.join('=');
    if (name === 'order') {
      if (value !== 'free' && value !== 'kept') return malformed(`'${word}': order is free or kept`);
      link.order = value;
      continue;
    }
    const known = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined;
    if (!known) return malformed(`'${word}': unknown; a link knows ${[...Object.keys(FIELDS), 'order'].join(', ')}`);
    const number = known.read(value);
    if (number === undefined) return malformed(`'${word}': ${name} is ${known.expected}`);
    (link as Record<string, unknown>)[known.field] = number;
  }
  if (!Number.isInteger(link.seed)) return malformed(`'seed=${link.seed}': seed is ${SEED_EXPECTED}`);
  if (link.loss >= 1 && link.burst > 1) return malformed(`'loss=100%': a link that loses everything has no bursts`);
  return parsed(link);
}

const asShare = (value: number) => `${Number((value * 100).toPrecision(12))}%`;
const asTime = (value: number) => (value % 1_000 === 0 ? `${value / 1_000}ms` : `${value}us`);

/** The canonical one-line form: every field that differs from a clean link's, in a fixed order, and the seed. */
export function formatLinkSpecification(link: LinkSpecification): string {
  const words: string[] = [];
  if (link.loss > 0) words.push(`loss=${asShare(link.loss)}`);
  if (link.burst > 1) words.push(`burst=${link.burst}`);
  if (link.delay > 0) words.push(`delay=${asTime(link.delay)}`);
  if (link.jitter > 0) words.push(`jitter=${asTime(link.jitter)}`);
  if (link.order !== 'free') words.push(`order=${link.order}`);
  if (link.duplicate > 0) words.push(`dup=${asShare(link.duplicate)}`);
  if (link.corrupt > 0) words.push(`corrupt=${asShare(link.corrupt)}`);
  if (link.rate > 0) words.push(`rate=${link.rate}bit`);
  if (link.rate > 0 || link.queue !== CLEAN_LINK.queue) words.push(`queue=${asTime(link.queue)}`);
  words.push(`seed=${link.seed}`);
  return words.join(' ');
}
