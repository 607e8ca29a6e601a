import { malformed, type Parsed, parsed } from '../../../protocol/base/parsed.ts';
import { inMilliseconds, MILLISECOND, type Microseconds, microseconds, SECOND } from '../../../protocol/base/units.ts';
import type { FourStateModel, GilbertElliottModel } from '../loss/loss-model.ts';

/** A probability and the correlation of its draws, each 0 … 1. */
export interface CorrelatedShare {
  readonly share: number;
  readonly correlation: number;
}

/** Arguments of `tc qdisc … netem`, as interpreted by the kernel. */
export interface NetemParameters {
  /** `loss`: random with a correlation, or a state model. */
  readonly loss?: CorrelatedShare | GilbertElliottModel | FourStateModel;
  /** Share of datagrams duplicated. */
  readonly duplicate?: CorrelatedShare;
  /** Share of datagrams with one flipped bit. */
  readonly corrupt?: CorrelatedShare;
  /** `gap`: only every gap-th datagram can overtake. Requires a delay. */
  readonly reorder?: CorrelatedShare & { readonly gap: number };
  /** Delay, microseconds. */
  readonly delay?: Microseconds;
  /** Variation of the delay, microseconds. */
  readonly jitter?: Microseconds;
  /** Correlation of successive delays, 0 … 1. */
  readonly delayCorrelation?: number;
  /** Distribution of the delay; `uniform` when absent. */
  readonly distribution?: 'uniform' | 'normal' | 'pareto';
  /** Bits per second. */
  readonly rate?: number;
  /** Queue limit, datagrams; delayed datagrams count. */
  readonly limit?: number;
}

/** Default of the kernel (`sch_netem.c`, `tc-netem(8)`). */
export const NETEM_LIMIT_DEFAULT = 1_000;
/** Bounds the memory of a link. */
const LIMIT_MAX = 1_000_000;

type Words = { readonly words: readonly string[]; next: number };
type Reader = (words: Words, to: { -readonly [K in keyof NetemParameters]: NetemParameters[K] }) => string | undefined;

const TIME_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  us: 1,
  usec: 1,
  usecs: 1,
  ms: MILLISECOND,
  msec: MILLISECOND,
  msecs: MILLISECOND,
  s: SECOND,
  sec: SECOND,
  secs: SECOND,
};
const RATE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  bit: 1,
  kbit: 1e3,
  mbit: 1e6,
  gbit: 1e9,
  kibit: 1_024,
  mibit: 1_048_576,
  gibit: 1_073_741_824,
  bps: 8,
  kbps: 8e3,
  mbps: 8e6,
  gbps: 8e9,
};

function quantity(text: string | undefined, units: Readonly<Record<string, number>>): number | undefined {
  const match = /^(\d+(?:\.\d+)?|\.\d+)([a-z]*)$/i.exec(text ?? '');
  const factor = match ? units[match[2]!.toLowerCase()] : undefined;
  return match && factor !== undefined ? Number(match[1]) * factor : undefined;
}

const time = (text: string | undefined): number | undefined => {
  const value = quantity(text, TIME_UNITS);
  return value !== undefined && value <= 60_000_000 ? Math.round(value) : undefined;
};
const rate = (text: string | undefined): number | undefined => {
  const value = quantity(text, RATE_UNITS);
  return value !== undefined && value >= 1 && value <= 1e12 ? value : undefined;
};
/** Parses a percentage; the sign is optional, as with `tc`. */
const percent = (text: string | undefined): number | undefined => {
  const match = /^(\d+(?:\.\d+)?|\.\d+)%?$/.exec(text ?? '');
  const value = match ? Number((Number(match[1]) / 100).toPrecision(15)) : Number.NaN;
  return value <= 1 ? value : undefined;
};
const whole = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;

/** Returns the next word if `read` accepts it, and advances. */
function take<T>(words: Words, read: (text: string | undefined) => T | undefined): T | undefined {
  const value = read(words.words[words.next]);
  if (value !== undefined) words.next++;
  return value;
}

const invalidWord = (words: Words, name: string, expected: string): string =>
  `netem '${[name, words.words[words.next]].filter(Boolean).join(' ')}': ${expected}`;

function correlatedShare(words: Words): CorrelatedShare | undefined {
  const share = take(words, percent);
  return share === undefined ? undefined : { share, correlation: take(words, percent) ?? 0 };
}

const readLoss: Reader = (words, to) => {
  const kind = words.words[words.next];
  if (kind === 'gemodel' || kind === 'state') {
    words.next++;
    const numbers: number[] = [];
    const most = kind === 'gemodel' ? 4 : 5;
    for (let n = take(words, percent); n !== undefined; n = numbers.length < most ? take(words, percent) : undefined) {
      numbers.push(n);
    }
    const [first] = numbers;
    if (first === undefined) return invalidWord(words, `loss ${kind}`, 'expected a percentage such as 1%');
    if (kind === 'gemodel') {
      const [, leaveBad = 1 - first, lossInBad = 1, lossInGood = 0] = numbers;
      to.loss = { kind: 'gilbert-elliott', enterBad: first, leaveBad, lossInBad, lossInGood, step: 'packet' };
    } else {
      const [, p31 = 1 - first, p32 = 0, p23 = 1, p14 = 0] = numbers;
      to.loss = { kind: 'four-state', p13: first, p31, p32, p23, p14 };
    }
    return undefined;
  }
  if (kind === 'random') words.next++;
  const share = correlatedShare(words);
  if (!share) return invalidWord(words, 'loss', 'expected a percentage such as 1%, or random, gemodel or state');
  to.loss = share;
  return undefined;
};

const shareReader =
  (field: 'duplicate' | 'corrupt'): Reader =>
  (words, to) => {
    const share = correlatedShare(words);
    if (!share) return invalidWord(words, field, 'expected a percentage such as 1%');
    to[field] = share;
    return undefined;
  };

const readDelay: Reader = (words, to) => {
  const delay = take(words, time);
  if (delay === undefined) return invalidWord(words, 'delay', 'expected a time such as 50ms, at most 60s');
  to.delay = microseconds(delay);
  const jitter = take(words, time);
  if (jitter === undefined) return undefined;
  to.jitter = microseconds(jitter);
  const correlation = take(words, percent);
  if (correlation) to.delayCorrelation = correlation;
  return undefined;
};

const READERS: Readonly<Record<string, Reader>> = {
  loss: readLoss,
  drop: readLoss,
  delay: readDelay,
  latency: readDelay,
  duplicate: shareReader('duplicate'),
  corrupt: shareReader('corrupt'),
  reorder: (words, to) => {
    const share = correlatedShare(words);
    if (!share) return invalidWord(words, 'reorder', 'expected a percentage such as 25%');
    to.reorder = { ...share, gap: to.reorder?.gap ?? 1 };
    return undefined;
  },
  distribution: (words, to) => {
    const name = words.words[words.next];
    if (name !== 'uniform' && name !== 'normal' && name !== 'pareto') {
      return invalidWord(words, 'distribution', 'expected uniform, normal or pareto');
    }
    words.next++;
    if (name !== 'uniform') to.distribution = name;
    return undefined;
  },
  rate: (words, to) => {
    const value = take(words, rate);
    if (value === undefined)
      return invalidWord(words, 'rate', 'expected a rate such as 8mbit (overhead arguments are not supported)');
    to.rate = value;
    return undefined;
  },
  limit: (words, to) => {
    const value = take(words, whole);
    if (value === undefined || value < 1 || value > LIMIT_MAX) {
      return invalidWord(words, 'limit', `expected a number of packets from 1 to ${LIMIT_MAX}`);
    }
    to.limit = value;
    return undefined;
  },
};

const KNOWN = [...Object.keys(READERS), 'gap'].join(', ');

/**
 * Parses the arguments of netem in a `tc` command line, such as `loss gemodel 1% 30% delay 50ms 10ms rate 8mbit`. A
 * complete command line is accepted as well. An error names the offending word and the expected value.
 */
export function parseNetemParameters(text: string): Parsed<NetemParameters> {
  const all = text.trim().split(/\s+/);
  const words: Words = { words: all, next: all.lastIndexOf('netem') + 1 };
  const to: { -readonly [K in keyof NetemParameters]: NetemParameters[K] } = {};
  const seen = new Set<string>();
  let gap: number | undefined;
  while (words.next < all.length) {
    const name = all[words.next++]!;
    if (name === '') continue;
    if (seen.has(name)) return malformed(`netem '${name}': given twice`);
    seen.add(name);
    if (name === 'gap') {
      gap = take(words, whole);
      if (gap === undefined || gap < 1)
        return malformed(invalidWord(words, 'gap', 'expected a number of packets such as 5'));
      continue;
    }
    const read = Object.hasOwn(READERS, name) ? READERS[name] : undefined;
    if (!read) return malformed(`netem '${name}': unsupported; expected one of ${KNOWN}`);
    const error = read(words, to);
    if (error !== undefined) return malformed(error);
  }
  if (gap !== undefined && !to.reorder) return malformed("netem 'gap': requires reorder with a percentage");
  if (gap !== undefined && to.reorder) to.reorder = { ...to.reorder, gap };
  if (to.reorder && !to.delay) return malformed("netem 'reorder': requires a delay");
  if (to.distribution && !to.jitter) return malformed("netem 'distribution': requires a delay and a jitter");
  return parsed(to);
}

const asPercent = (value: number): string => `${Number((value * 100).toPrecision(12))}%`;
const asTime = (value: Microseconds): string =>
  value % MILLISECOND === 0 ? `${inMilliseconds(value)}ms` : `${value}us`;

function correlatedWords({ share, correlation }: CorrelatedShare): string {
  return correlation === 0 ? asPercent(share) : `${asPercent(share)} ${asPercent(correlation)}`;
}

function lossWords(loss: NonNullable<NetemParameters['loss']>): string {
  if (!('kind' in loss)) return `loss ${correlatedWords(loss)}`;
  const numbers =
    loss.kind === 'gilbert-elliott'
      ? [loss.enterBad, loss.leaveBad, loss.lossInBad, loss.lossInGood]
      : [loss.p13, loss.p31, loss.p32, loss.p23, loss.p14];
  return `loss ${loss.kind === 'gilbert-elliott' ? 'gemodel' : 'state'} ${numbers.map(asPercent).join(' ')}`;
}

/**
 * Formats the parameters in canonical form: all that are set, in a fixed order, with the defaults of a loss model
 * spelled out.
 */
export function formatNetemParameters(netem: NetemParameters): string {
  const words: string[] = [];
  if (netem.duplicate) words.push(`duplicate ${correlatedWords(netem.duplicate)}`);
  if (netem.loss) words.push(lossWords(netem.loss));
  if (netem.corrupt) words.push(`corrupt ${correlatedWords(netem.corrupt)}`);
  if (netem.delay !== undefined) {
    const jitter = netem.jitter === undefined ? '' : ` ${asTime(netem.jitter)}`;
    const correlation = netem.delayCorrelation === undefined ? '' : ` ${asPercent(netem.delayCorrelation)}`;
    words.push(`delay ${asTime(netem.delay)}${jitter}${correlation}`);
  }
  if (netem.distribution) words.push(`distribution ${netem.distribution}`);
  if (netem.reorder) words.push(`reorder ${correlatedWords(netem.reorder)} gap ${netem.reorder.gap}`);
  if (netem.rate !== undefined) words.push(`rate ${netem.rate}bit`);
  if (netem.limit !== undefined) words.push(`limit ${netem.limit}`);
  return words.join(' ');
}
