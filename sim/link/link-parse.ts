import { malformed, type Parsed, parsed } from '../../protocol/base/parsed.ts';
import { CLEAN_LINK, UNLIMITED } from './clean-link.ts';
import { differences } from './link-format.ts';
import type { LinkChange, LinkSpecification, OutageWindow } from './link-specification.ts';
import {
  type Reader,
  readBytes,
  readNumber,
  readPackets,
  readPointInTime,
  readRate,
  readShare,
  readTime,
  readWhole,
} from './link-values.ts';
import { LOSS_WORDS, readNamed, type TraceReader, withStep } from './loss/loss-words.ts';
import { parseNetemParameters } from './netem/netem-parameters.ts';
import { PRESETS } from './presets.ts';
import { OPPORTUNITY_BYTES, parseCapacityTrace } from './stages/capacity-trace.ts';

type Draft = { -readonly [K in keyof LinkSpecification]: LinkSpecification[K] };

interface Word {
  readonly text: string;
  readonly name: string;
  readonly value: string;
}

const SEED_EXPECTED = 'a whole number from 0 to 4294967295';

const NUMBERS = {
  loss: { field: 'loss', read: readShare, expected: 'a share such as 5% or 0.05' },
  burst: { field: 'burst', read: readNumber, expected: 'a mean run of losses in datagrams, such as 3' },
  delay: { field: 'delay', read: readTime, expected: 'a time with its unit, such as 20ms, at most 60s' },
  jitter: { field: 'jitter', read: readTime, expected: 'a time with its unit, such as 2ms, at most 60s' },
  'fifo-jitter': { field: 'fifoJitter', read: readTime, expected: 'a time with its unit, such as 2ms, at most 60s' },
  dup: { field: 'duplicate', read: readShare, expected: 'a share such as 0.1%' },
  corrupt: { field: 'corrupt', read: readShare, expected: 'a share such as 0.1%' },
  rate: { field: 'rate', read: readRate, expected: 'a bit rate with its unit, such as 8mbit' },
  seed: { field: 'seed', read: readWhole, expected: SEED_EXPECTED },
} as const satisfies Record<string, { field: keyof LinkSpecification; read: Reader; expected: string }>;

/** Each enters its value; it returns what was expected where it cannot. */
const OTHERS: Readonly<Record<string, (link: Draft, value: string) => string | undefined>> = {
  order: (link, value) => {
    if (value !== 'free' && value !== 'kept') return 'order is free or kept';
    link.order = value;
    return undefined;
  },
  dist: (link, value) => {
    delete link.jitterDistribution;
    if (value === 'symmetric' || value === 'normal' || value === 'pareto') link.jitterDistribution = value;
    else if (value !== 'uniform') return 'dist is uniform, symmetric, normal or pareto';
    return undefined;
  },
  position: (link, value) => {
    delete link.lossPosition;
    if (value === 'pre') link.lossPosition = value;
    else if (value !== 'post') return 'position is pre or post, before or behind the bottleneck';
    return undefined;
  },
  outage: readOutages,
  slip: readSlip,
  queue: readQueue,
};

const KNOWN = [
  ...Object.keys(NUMBERS).filter((name) => name !== 'seed'),
  ...Object.keys(LOSS_WORDS),
  'step',
  ...Object.keys(OTHERS),
  'trace',
  'opportunity',
  'preset',
  'netem',
  'seed',
];

/** Words that a change has no say in. */
const NOT_IN_A_CHANGE = ['seed', 'preset', 'netem'];

/**
 * Reads a link's one-line form, such as `loss=5% delay=20ms jitter=2ms burst=3 dup=0.1% rate=8mbit seed=1`.
 * Blanks or commas separate, quotation marks hold together; what is not named is a clean link's, or the preset's.
 * `at 10s: loss=20%` changes the link in its course. An error names the word and what was expected.
 *
 * @param readTrace gives the content of the files that `trace=` and `losstrace=` name.
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
  if (link.value.netem) return malformed("'netem': a link of netem does not change in its course");
  const changes: LinkChange[] = [];
  let before = link.value;
  let after = -1;
  for (const { at, words } of later) {
    if (at <= after) return malformed(`'at ${at / 1_000}ms:': changes are in the order of their times`);
    const unchangeable = words.find(({ name }) => NOT_IN_A_CHANGE.includes(name));
    if (unchangeable)
      return malformed(`'${unchangeable.text}': ${unchangeable.name} cannot change in the course of a link`);
    if (words.length === 0) return malformed(`'at ${at / 1_000}ms:': nothing changes there`);
    const changed = apply(before, words, readTrace);
    if (!changed.ok) return changed;
    after = at;
    // What says what is so already changes nothing.
    if (differences(before, changed.value).length === 0) continue;
    before = changed.value;
    changes.push({ at, link: before });
  }
  return parsed(changes.length > 0 ? { ...link.value, changes } : link.value);
}

interface Clause {
  readonly at: number;
  readonly words: Word[];
}

function readClauses(text: string): Parsed<[Clause, ...Clause[]]> {
  if (text.split('"').length % 2 === 0) return malformed('a quotation mark has no other');
  const clauses: [Clause, ...Clause[]] = [{ at: 0, words: [] }];
  let clause: Clause = clauses[0];
  const texts = text.match(/(?:"[^"]*"|[^\s,"])+/g) ?? [];
  for (let index = 0; index < texts.length; index++) {
    const word = texts[index]!;
    if (word === 'at') {
      const time = texts[++index] ?? '';
      const at = time.endsWith(':') ? readPointInTime(time.slice(0, -1)) : undefined;
      if (at === undefined) return malformed(`'at ${time}': expected a time and a colon, such as at 10s: loss=20%`);
      clause = { at, words: [] };
      clauses.push(clause);
      continue;
    }
    const [name = '', ...values] = word.split('=');
    if (clause.words.some((other) => other.name === name)) return malformed(`'${word}': ${name} was said before`);
    clause.words.push({ text: word, name, value: values.join('=').replaceAll('"', '') });
  }
  return parsed(clauses);
}

function readPreset({ text, value }: Word): Parsed<LinkSpecification> {
  const preset = PRESETS.find(({ name }) => name === value);
  if (!preset) return malformed(`'${text}': preset is one of ${PRESETS.map(({ name }) => name).join(', ')}`);
  return parseLinkSpecification(preset.link);
}

/** A link with the words of one clause said of it. */
function apply(base: LinkSpecification, words: readonly Word[], readTrace?: TraceReader): Parsed<LinkSpecification> {
  const link: Draft = { ...base };
  const said = new Map(words.map((word) => [word.name, word]));
  const models = words.filter(({ name }) => name === 'loss' || Object.hasOwn(LOSS_WORDS, name));
  if (models.length > 1)
    return malformed(`'${models[1]!.text}': a link loses in one way, and ${models[0]!.name} is one`);
  if (said.has('burst') && models[0] && models[0].name !== 'loss') {
    return malformed(`'${said.get('burst')!.text}': burst belongs to loss`);
  }
  for (const word of words) {
    const error = applyWord(link, word, said, readTrace);
    if (error !== undefined) return malformed(error);
  }
  const step = said.get('step');
  if (step) {
    const stepped = withStep(link.lossModel, step.value);
    if (!stepped.ok) return malformed(`'${step.text}': ${stepped.malformed}`);
    link.lossModel = stepped.value;
  }
  return finish(link, said);
}

/** Enters a word; what is wrong with it otherwise. */
function applyWord(
  link: Draft,
  { text, name, value }: Word,
  said: ReadonlyMap<string, Word>,
  readTrace: TraceReader | undefined,
): string | undefined {
  if (name === 'step' || name === 'preset' || name === 'opportunity') return undefined;
  if (Object.hasOwn(LOSS_WORDS, name)) {
    const { read, expected } = LOSS_WORDS[name]!;
    const model = read(value, readTrace);
    if (!model) return `'${text}': ${name} is ${expected}`;
    if (!model.ok) return `'${text}': ${model.malformed}`;
    link.lossModel = model.value;
    link.loss = CLEAN_LINK.loss;
    link.burst = CLEAN_LINK.burst;
    return undefined;
  }
  if (name === 'netem') {
    const netem = parseNetemParameters(value);
    if (!netem.ok) return netem.malformed;
    const other = [...said.keys()].find((key) => key !== 'netem' && key !== 'seed');
    if (other !== undefined) return `'${said.get(other)!.text}': beside netem stands seed alone`;
    link.netem = netem.value;
    return undefined;
  }
  if (name === 'trace') return applyTrace(link, value, said, readTrace);
  const other = Object.hasOwn(OTHERS, name) ? OTHERS[name] : undefined;
  if (other) {
    const expected = other(link, value);
    return expected === undefined ? undefined : `'${text}': ${expected}`;
  }
  return applyNumber(link, { text, name, value }, said);
}

function applyNumber(link: Draft, { text, name, value }: Word, said: ReadonlyMap<string, Word>): string | undefined {
  if (!Object.hasOwn(NUMBERS, name)) return `'${text}': unknown; a link knows ${KNOWN.join(', ')}`;
  const { field, read, expected } = NUMBERS[name as keyof typeof NUMBERS];
  if (name === 'delay') return applyDelay(link, { text, name, value }, said);
  const number = read(value);
  if (number === undefined) return `'${text}': ${name} is ${expected}`;
  link[field] = number;
  if (name === 'burst' && link.lossModel && !said.has('loss')) return `'${text}': burst belongs to loss`;
  if (name === 'loss' && link.lossModel) {
    delete link.lossModel;
    if (!said.has('burst')) link.burst = CLEAN_LINK.burst;
  }
  if (name === 'fifo-jitter' && number === 0) delete link.fifoJitter;
  if (name === 'rate' && number > 0 && !said.has('trace')) delete link.capacity;
  return undefined;
}

/** `40ms`, or `40ms±5ms`, which is a symmetric jitter as well. */
function applyDelay(link: Draft, { text, value }: Word, said: ReadonlyMap<string, Word>): string | undefined {
  const { expected } = NUMBERS.delay;
  const [delayText = '', jitterText, ...more] = value.split(/±|\+-/);
  const delay = readTime(delayText);
  const jitter = jitterText === undefined ? 0 : readTime(jitterText);
  if (delay === undefined || jitter === undefined || more.length > 0) return `'${text}': delay is ${expected}`;
  link.delay = delay;
  if (jitterText === undefined) return undefined;
  const twice = said.get('jitter') ?? said.get('dist');
  if (twice) return `'${twice.text}': the delay's ± says it already`;
  link.jitter = jitter;
  link.jitterDistribution = 'symmetric';
  return undefined;
}

function applyTrace(
  link: Draft,
  value: string,
  said: ReadonlyMap<string, Word>,
  readTrace: TraceReader | undefined,
): string | undefined {
  delete link.capacity;
  if (value === 'none') return undefined;
  const size = said.get('opportunity');
  const bytes = size ? readBytes(size.value) : OPPORTUNITY_BYTES;
  if (bytes === undefined || bytes > 1_000_000)
    return `'${size?.text}': opportunity is a number of bytes such as 1504b`;
  const trace = readNamed(value, readTrace, (name, content) => parseCapacityTrace(name, content, bytes));
  if (!trace.ok) return `'trace=${value}': ${trace.malformed}`;
  link.capacity = trace.value;
  if (!said.has('rate')) link.rate = 0;
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
      return 'outage is spans of time, ascending, such as 5s-6s/10s-12s';
    }
    windows.push({ from, until });
  }
  link.outages = windows;
  return undefined;
}

function readSlip(link: Draft, value: string): string | undefined {
  delete link.slip;
  if (value === 'none') return undefined;
  const [shareText = '', packetsText = '', ...more] = value.split('/');
  const share = readShare(shareText);
  const packets = readWhole(packetsText);
  if (share === undefined || packets === undefined || packets < 1 || packets > 1_000 || more.length > 0) {
    return 'slip is share/places, such as 1%/3, at most 1000 places';
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
    else
      return 'queue is a time with its unit, such as 100ms, or bytes (64kB), or datagrams (25p), or several: 100ms/25p';
  }
  return undefined;
}

/** What only the whole can tell. */
function finish(link: Draft, said: ReadonlyMap<string, Word>): Parsed<LinkSpecification> {
  if (link.loss >= 1 && link.burst > 1) return malformed(`'loss=100%': a link that loses everything has no bursts`);
  if (link.rate > 0 && link.capacity) return malformed(`'rate=${link.rate}bit': the trace says the rate already`);
  const size = said.get('opportunity');
  if (size && !said.has('trace')) return malformed(`'${size.text}': opportunity belongs to trace`);
  return parsed(link);
}
