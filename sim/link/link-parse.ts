import { suggestion } from '../../protocol/base/nearest-word.ts';
import { malformed, type Parsed, parsed } from '../../protocol/base/parsed.ts';
import { inMilliseconds, type Microseconds, microseconds } from '../../protocol/base/units.ts';
import { CONGESTION_CONTROLS } from '../tcp/congestion-control.ts';
import { CLEAN_LINK, UNLIMITED } from './clean-link.ts';
import { differences } from './link-format.ts';
import type { LinkChange, LinkSpecification, OutageWindow } from './link-specification.ts';
import {
  type Reader,
  readBytes,
  readDelayQuantiles,
  readLinkShare,
  readLinkWhole,
  readNumber,
  readPackets,
  readPointInTime,
  readRate,
  readTime,
} from './link-values.ts';
import { LOSS_WORDS, readNamed, type TraceReader, withStep } from './loss/loss-words.ts';
import { parseNetemParameters } from './netem/netem-parameters.ts';
import { PRESETS } from './presets.ts';
import { parseDiscipline } from './queue/discipline-words.ts';
import { OPPORTUNITY_BYTES, parseCapacityTrace } from './stages/capacity-trace.ts';

type Draft = { -readonly [K in keyof LinkSpecification]: LinkSpecification[K] };

interface Word {
  readonly text: string;
  readonly name: string;
  readonly value: string;
}

const SEED_EXPECTED = 'a whole number from 0 to 4294967295';

const NUMBERS = {
  loss: { field: 'loss', read: readLinkShare, expected: 'a share such as 5% or 0.05' },
  burst: { field: 'burst', read: readNumber, expected: 'a mean run of losses in datagrams, such as 3' },
  delay: { field: 'delay', read: readTime, expected: 'a time with its unit, such as 20ms, at most 60s' },
  jitter: { field: 'jitter', read: readTime, expected: 'a time with its unit, such as 2ms, at most 60s' },
  'fifo-jitter': { field: 'fifoJitter', read: readTime, expected: 'a time with its unit, such as 2ms, at most 60s' },
  dup: { field: 'duplicate', read: readLinkShare, expected: 'a share such as 0.1%' },
  corrupt: { field: 'corrupt', read: readLinkShare, expected: 'a share such as 0.1%' },
  rate: { field: 'rate', read: readRate, expected: 'a bit rate with its unit, such as 8mbit' },
  seed: { field: 'seed', read: readLinkWhole, expected: SEED_EXPECTED },
} as const satisfies Record<string, { field: keyof LinkSpecification; read: Reader; expected: string }>;

/** Parsers of the non-numeric values. Each sets its field, and returns an error message when the value is invalid. */
const PARSERS: Readonly<Record<string, (link: Draft, value: string) => string | undefined>> = {
  order: (link, value) => {
    if (value !== 'free' && value !== 'kept') return 'order must be free or kept';
    link.order = value;
    return undefined;
  },
  dist: (link, value) => {
    delete link.jitterDistribution;
    if (value === 'symmetric' || value === 'normal' || value === 'pareto') link.jitterDistribution = value;
    else if (value !== 'uniform') return 'dist must be uniform, symmetric, normal or pareto';
    return undefined;
  },
  position: (link, value) => {
    delete link.lossPosition;
    if (value === 'pre') link.lossPosition = value;
    else if (value !== 'post') return 'position must be pre (before the bottleneck) or post (after it)';
    return undefined;
  },
  quantiles: readQuantiles,
  outage: readOutages,
  slip: readSlip,
  queue: readQueue,
  qdisc: readDiscipline,
  cross: readCross,
};

const KNOWN = [
  ...Object.keys(NUMBERS).filter((name) => name !== 'seed'),
  ...Object.keys(LOSS_WORDS),
  'step',
  ...Object.keys(PARSERS),
  'trace',
  'opportunity',
  'preset',
  'netem',
  'seed',
];

/** Words that a later change (`at 10s: …`) may not contain. */
const NOT_IN_A_CHANGE = ['seed', 'preset', 'netem'];

/**
 * Parses the one-line form of a link, such as `loss=5% delay=20ms jitter=2ms burst=3 dup=0.1% rate=8mbit seed=1`.
 *
 * Words are separated by blanks or commas; quotation marks protect both. Fields not given keep the values of a clean
 * link or of the preset. `at 10s: loss=20%` changes the link 10 s after its start. An error names the offending word
 * and the expected value.
 *
 * @param readTrace returns the content of files named by `trace=` and `losstrace=`.
 */
export function parseLinkSpecification(text: string, readTrace?: TraceReader): Parsed<LinkSpecification> {
  const clauses = readClauses(text);
  if (!clauses.ok) return clauses;
  const [first, ...later] = clauses.value;
  const preset = first.words.find(({ name }) => name === 'preset');
  const base = preset ? readPreset(preset) : parsed(CLEAN_LINK);
  if (!base.ok) return base;
  const link = apply(base.value, first.words, readTrace);
  if (!link.ok || later.length === 0) return link;
  if (link.value.netem) return malformed("'netem': a netem link cannot have timed changes");
  const changes: LinkChange[] = [];
  let before = link.value;
  let after = -1;
  for (const { at, words } of later) {
    if (at <= after) return malformed(`'at ${inMilliseconds(at)}ms:': changes must be in ascending order of time`);
    const unchangeable = words.find(({ name }) => NOT_IN_A_CHANGE.includes(name));
    if (unchangeable)
      return malformed(`'${unchangeable.text}': ${unchangeable.name} cannot change while the link runs`);
    if (words.length === 0)
      return malformed(`'at ${inMilliseconds(at)}ms:': expected at least one word after the time`);
    const changed = apply(before, words, readTrace);
    if (!changed.ok) return changed;
    after = at;
    // A change to the current values has no effect.
    if (differences(before, changed.value).length === 0) continue;
    before = changed.value;
    changes.push({ at, link: before });
  }
  return parsed(changes.length > 0 ? { ...link.value, changes } : link.value);
}

/**
 * Reads a link's one-line form, as `parseLinkSpecification` does.
 * @throws {RangeError} with the word that is wrong and what was expected there.
 */
export function parseLink(text: string, readTrace?: TraceReader): LinkSpecification {
  const link = parseLinkSpecification(text, readTrace);
  if (!link.ok) throw new RangeError(link.malformed);
  return link.value;
}

interface Clause {
  readonly at: Microseconds;
  readonly words: Word[];
}

function readClauses(text: string): Parsed<[Clause, ...Clause[]]> {
  if (text.split('"').length % 2 === 0) return malformed('unbalanced quotation mark');
  const clauses: [Clause, ...Clause[]] = [{ at: microseconds(0), words: [] }];
  let clause: Clause = clauses[0];
  const texts = text.match(/(?:"[^"]*"|\([^()]*\)|[^\s,"])+/g) ?? [];
  for (let index = 0; index < texts.length; index++) {
    const word = texts[index]!;
    if (word === 'at') {
      const time = texts[++index] ?? '';
      const at = time.endsWith(':') ? readPointInTime(time.slice(0, -1)) : undefined;
      if (at === undefined) return malformed(`'at ${time}': expected a time and a colon, such as at 10s: loss=20%`);
      clause = { at: microseconds(at), words: [] };
      clauses.push(clause);
      continue;
    }
    const [name = '', ...values] = word.split('=');
    if (clause.words.some((other) => other.name === name)) return malformed(`'${word}': ${name} is given twice`);
    clause.words.push({ text: word, name, value: values.join('=').replaceAll('"', '') });
  }
  return parsed(clauses);
}

function readPreset({ text, value }: Word): Parsed<LinkSpecification> {
  const preset = PRESETS.find(({ name }) => name === value);
  if (!preset) return malformed(`'${text}': preset must be one of ${PRESETS.map(({ name }) => name).join(', ')}`);
  return parseLinkSpecification(preset.link);
}

/** Returns `base` with the words of one clause applied. */
function apply(base: LinkSpecification, words: readonly Word[], readTrace?: TraceReader): Parsed<LinkSpecification> {
  const link: Draft = { ...base };
  const given = new Map(words.map((word) => [word.name, word]));
  const models = words.filter(({ name }) => name === 'loss' || Object.hasOwn(LOSS_WORDS, name));
  if (models.length > 1)
    return malformed(`'${models[1]!.text}': a link has one loss model, and ${models[0]!.name} already sets it`);
  if (given.has('burst') && models[0] && models[0].name !== 'loss') {
    return malformed(`'${given.get('burst')!.text}': burst requires loss`);
  }
  for (const word of words) {
    const error = applyWord(link, word, given, readTrace);
    if (error !== undefined) return malformed(error);
  }
  const step = given.get('step');
  if (step) {
    const stepped = withStep(link.lossModel, step.value);
    if (!stepped.ok) return malformed(`'${step.text}': ${stepped.malformed}`);
    link.lossModel = stepped.value;
  }
  return finish(link, given);
}

/** Applies one word to `link`. Returns an error message, or `undefined` on success. */
function applyWord(
  link: Draft,
  { text, name, value }: Word,
  given: ReadonlyMap<string, Word>,
  readTrace: TraceReader | undefined,
): string | undefined {
  if (name === 'step' || name === 'preset' || name === 'opportunity') return undefined;
  if (Object.hasOwn(LOSS_WORDS, name)) {
    const { read, expected } = LOSS_WORDS[name]!;
    const model = read(value, readTrace);
    if (!model) return `'${text}': expected ${expected}`;
    if (!model.ok) return `'${text}': ${model.malformed}`;
    link.lossModel = model.value;
    link.loss = CLEAN_LINK.loss;
    link.burst = CLEAN_LINK.burst;
    return undefined;
  }
  if (name === 'netem') {
    const netem = parseNetemParameters(value);
    if (!netem.ok) return netem.malformed;
    const other = [...given.keys()].find((key) => key !== 'netem' && key !== 'seed');
    if (other !== undefined) return `'${given.get(other)!.text}': netem can be combined only with seed`;
    link.netem = netem.value;
    return undefined;
  }
  if (name === 'trace') return applyTrace(link, value, given, readTrace);
  const other = Object.hasOwn(PARSERS, name) ? PARSERS[name] : undefined;
  if (other) {
    const expected = other(link, value);
    return expected === undefined ? undefined : `'${text}': ${expected}`;
  }
  return applyNumber(link, { text, name, value }, given);
}

function applyNumber(link: Draft, { text, name, value }: Word, given: ReadonlyMap<string, Word>): string | undefined {
  if (!Object.hasOwn(NUMBERS, name)) return `'${text}': unknown word; ${suggestion(name, KNOWN)}`;
  const { field, read, expected } = NUMBERS[name as keyof typeof NUMBERS];
  if (name === 'delay') return applyDelay(link, { text, name, value }, given);
  const number = read(value);
  if (number === undefined) return `'${text}': expected ${expected}`;
  link[field] = microseconds(number);
  if (name === 'burst' && link.lossModel && !given.has('loss')) return `'${text}': burst requires loss`;
  if (name === 'loss' && link.lossModel) {
    delete link.lossModel;
    if (!given.has('burst')) link.burst = CLEAN_LINK.burst;
  }
  if (name === 'fifo-jitter' && number === 0) delete link.fifoJitter;
  if (name === 'rate' && number > 0 && !given.has('trace')) delete link.capacity;
  return undefined;
}

/** `40ms`, or `40ms±5ms`, which also sets a symmetric jitter. */
function applyDelay(link: Draft, { text, value }: Word, given: ReadonlyMap<string, Word>): string | undefined {
  const { expected } = NUMBERS.delay;
  const [delayText = '', jitterText, ...more] = value.split(/±|\+-/);
  const delay = readTime(delayText);
  const jitter = jitterText === undefined ? 0 : readTime(jitterText);
  if (delay === undefined || jitter === undefined || more.length > 0) return `'${text}': expected ${expected}`;
  link.delay = delay;
  if (jitterText === undefined) return undefined;
  const conflict = given.get('jitter') ?? given.get('dist');
  if (conflict) return `'${conflict.text}': the ± of delay already sets it`;
  link.jitter = microseconds(jitter);
  link.jitterDistribution = 'symmetric';
  return undefined;
}

function applyTrace(
  link: Draft,
  value: string,
  given: ReadonlyMap<string, Word>,
  readTrace: TraceReader | undefined,
): string | undefined {
  delete link.capacity;
  if (value === 'none') return undefined;
  const size = given.get('opportunity');
  const bytes = size ? readBytes(size.value) : OPPORTUNITY_BYTES;
  if (bytes === undefined || bytes > 1_000_000)
    return `'${size?.text}': expected a number of bytes such as 1504b, at most 1000000b`;
  const trace = readNamed(value, readTrace, (name, content) => parseCapacityTrace(name, content, bytes));
  if (!trace.ok) return `'trace=${value}': ${trace.malformed}`;
  link.capacity = trace.value;
  if (!given.has('rate')) link.rate = 0;
  return undefined;
}

function readOutages(link: Draft, value: string): string | undefined {
  delete link.outages;
  if (value === 'none') return undefined;
  const windows: OutageWindow[] = [];
  for (const part of value.split('/')) {
    const [from, until, ...more] = part.split('-').map((text) => readPointInTime(text));
    const before = windows.at(-1)?.until ?? 0;
    if (from === undefined || until === undefined || more.length > 0 || from >= until || from < before) {
      return 'expected ascending time spans such as 5s-6s/10s-12s';
    }
    windows.push({ from: microseconds(from), until: microseconds(until) });
  }
  link.outages = windows;
  return undefined;
}

function readQuantiles(link: Draft, value: string): string | undefined {
  delete link.quantiles;
  if (value === 'none') return undefined;
  const quantiles = readDelayQuantiles(value);
  if (!quantiles.ok) return quantiles.malformed;
  link.quantiles = quantiles.value;
  return undefined;
}

function readSlip(link: Draft, value: string): string | undefined {
  delete link.slip;
  if (value === 'none') return undefined;
  const [shareText = '', packetsText = '', ...more] = value.split('/');
  const share = readLinkShare(shareText);
  const packets = readLinkWhole(packetsText);
  if (share === undefined || packets === undefined || packets < 1 || packets > 1_000 || more.length > 0) {
    return 'expected share/places, such as 1%/3, at most 1000 places';
  }
  if (share > 0) link.slip = { share, packets };
  return undefined;
}

function readQueue(link: Draft, value: string): string | undefined {
  delete link.queueBytes;
  delete link.queuePackets;
  link.queue = UNLIMITED;
  if (value === 'none') return undefined;
  for (const part of value.split('/')) {
    const time = readTime(part);
    const bytes = readBytes(part);
    const packets = readPackets(part);
    if (time !== undefined && link.queue === UNLIMITED) link.queue = time;
    else if (bytes !== undefined && link.queueBytes === undefined) link.queueBytes = bytes;
    else if (packets !== undefined && link.queuePackets === undefined) link.queuePackets = packets;
    else return 'expected a time such as 100ms, bytes (64kB), datagrams (25p), or several of them: 100ms/25p';
  }
  return undefined;
}

function readDiscipline(link: Draft, value: string): string | undefined {
  const discipline = parseDiscipline(value);
  if (!discipline.ok) return discipline.malformed;
  delete link.discipline;
  if (discipline.value) link.discipline = discipline.value;
  return undefined;
}

function readCross(link: Draft, value: string): string | undefined {
  delete link.cross;
  if (value === 'none') return undefined;
  const congestionControl = CONGESTION_CONTROLS.find((name) => value === `tcp-${name}`);
  const rate = readRate(value);
  if (congestionControl) link.cross = { congestionControl };
  else if (rate !== undefined && rate >= 1_000) link.cross = { rate };
  else return 'expected tcp-reno, tcp-cubic, tcp-bbr, a bit rate such as 2mbit, or none';
  return undefined;
}

/** Checks that involve several words. */
function finish(link: Draft, given: ReadonlyMap<string, Word>): Parsed<LinkSpecification> {
  if (link.loss >= 1 && link.burst > 1) return malformed(`'loss=100%': burst has no meaning at 100 % loss`);
  if (link.rate > 0 && link.capacity) return malformed(`'rate=${link.rate}bit': the trace already sets the rate`);
  if (link.quantiles && link.jitter > 0) return malformed(`'quantiles': jitter already sets the additional delay`);
  const size = given.get('opportunity');
  if (size && !given.has('trace')) return malformed(`'${size.text}': opportunity requires trace`);
  return parsed(link);
}
