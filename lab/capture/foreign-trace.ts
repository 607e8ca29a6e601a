import { malformed, type Parsed, parsed } from '../../protocol/base/parsed.ts';
import { parseLinkSpecification } from '../../sim/link/link-parse.ts';
import { parseCapacityTrace } from '../../sim/link/stages/capacity-trace.ts';
import { type AlphaPattern, readAlphaPatterns } from './alpha-trace.ts';

/** A trace of another tool as a link. */
export interface ForeignTrace {
  readonly format: 'Mahimahi' | 'AlphaRTC' | 'sparkrtc' | 'CellReplay' | 'ERRANT';
  /** One-line form; `trace=FILE` stands for a file with `capacity`. */
  readonly line: string;
  /** Capacity in Mahimahi's format; `undefined` when the line says it. */
  readonly capacity: string | undefined;
  readonly facts: readonly (readonly [name: string, value: string])[];
  /** Properties of a path that the format cannot tell. */
  readonly untold: readonly string[];
}

/** A span of time with one capacity. */
interface Span {
  readonly ms: number;
  /** Bits per second. */
  readonly rate: number;
}

const BYTES_PER_OPPORTUNITY = 1_504;
/** Time between lines of sparkrtc's traces, milliseconds. */
const SPARK_STEP_MS = 16;
/** Timed changes that fit on a line that a person copies. */
const CHANGES_MAX = 40;

/** Recognizes and reads a trace by its content. @param direction of a trace that has both */
export function readForeignTrace(text: string, direction: 'down' | 'up'): Parsed<ForeignTrace> {
  const trace = recognized(text, direction);
  if (!trace.ok) return trace;
  // Numbers that a link refuses are told here, not when the line is used.
  const link = parseLinkSpecification(trace.value.line.replace(/^trace=FILE ?/, ''));
  return link.ok ? trace : malformed(`no link describes it: ${link.malformed}`);
}

function recognized(text: string, direction: 'down' | 'up'): Parsed<ForeignTrace> {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const first = lines.find((line) => line !== '') ?? '';
  if (first === '') return malformed('it is empty');
  if (first.startsWith('{')) return alphaTrace(text, direction);
  if (/^operator,country,rat,/.test(first)) return errantProfiles(lines, direction);
  if (/^\d+(\.\d+)?\s*[kMG]bps/i.test(first)) return sparkTrace(lines);
  if (/^\d+$/.test(first)) return mahimahiTrace(text);
  if (/^\d+(\s+\d+)+$/.test(first)) return cellReplayTrace(lines);
  return malformed(
    `neither a capture (pcap, pcapng) nor a known trace; its first line is '${first.replace(/\P{ASCII}|\p{Cc}/gu, '?').slice(0, 40)}'`,
  );
}

function mahimahiTrace(text: string): Parsed<ForeignTrace> {
  const trace = parseCapacityTrace('FILE', text);
  if (!trace.ok) return trace;
  const { opportunities } = trace.value;
  const ms = opportunities.at(-1)!;
  let gap = opportunities[0]!;
  for (let index = 1; index < opportunities.length; index++) {
    gap = Math.max(gap, opportunities[index]! - opportunities[index - 1]!);
  }
  const rate = (opportunities.length * BYTES_PER_OPPORTUNITY * 8_000) / ms;
  const facts = [
    ['duration', `${ms / 1_000} s`],
    ['mean capacity', megabits(rate)],
    ['longest time without', `${gap} ms`],
  ] as const;
  const untold = ['losses', 'delay', 'the queue, whose losses and delays depend on the sender'];
  return parsed({ format: 'Mahimahi', line: 'trace=FILE', capacity: text, facts, untold });
}

/** AlphaRTC's JSON: patterns of a duration (ms) with capacity (kb/s), loss, round trip and jitter (ms). */
function alphaTrace(text: string, direction: 'down' | 'up'): Parsed<ForeignTrace> {
  const read = readAlphaPatterns(text, direction);
  if (!read.ok) return read;
  const { patterns, usedDirection } = read.value;
  const spans = patterns.map(({ duration, capacity }) => ({ ms: duration, rate: capacity * 1_000 }));
  const seconds = spans.reduce((sum, { ms }) => sum + ms, 0) / 1_000;
  if (seconds * 1_000 > DURATION_MS_MAX) return malformed('it is longer than a day');
  const withRate = clausesOf(patterns, (each) => `${wordsOf(each)} rate=${each.capacity}kbit`);
  const isShort = withRate.length <= CHANGES_MAX && spans.every(({ rate }) => rate > 0);
  const clauses = isShort ? withRate : clausesOf(patterns, wordsOf);
  if (clauses.length > 10_000) return malformed('it has more than 10,000 changes of loss and delay');
  const opportunities = isShort ? undefined : opportunitiesOf(spans);
  if (opportunities && !opportunities.ok) return opportunities;
  const facts = [
    ['direction', `${usedDirection}link`],
    ['patterns', `${patterns.length} in ${seconds} s`],
    ['mean capacity', megabits(meanRate(spans))],
  ] as const;
  const untold = ['runs of losses: one rate for each pattern', 'how the round trip splits: half is used', 'the queue'];
  const line = isShort ? clauses.join(' ') : [`trace=FILE ${clauses[0]}`, ...clauses.slice(1)].join(' ');
  return parsed({ format: 'AlphaRTC', line, capacity: opportunities?.value, facts, untold });
}

/** Words of the first pattern, and timed changes where the words of a later one differ. */
function clausesOf(patterns: readonly AlphaPattern[], words: (pattern: AlphaPattern) => string): string[] {
  const clauses: string[] = [];
  let at = 0;
  let before = '';
  for (const pattern of patterns) {
    const now = words(pattern);
    if (now !== before) clauses.push(at === 0 ? now : `at ${at}ms: ${now}`);
    before = now;
    at += pattern.duration;
  }
  return clauses;
}

const wordsOf = ({ loss, rtt, jitter }: AlphaPattern): string =>
  `loss=${Number((100 * loss).toPrecision(6))}% delay=${Math.round((rtt / 2) * 1_000)}us jitter=${Math.round(jitter * 1_000)}us`;

/** sparkrtc's text: `6.24Mbps 23.2ms 0.00` for each 16 ms: capacity, round trip and loss; older ones have capacity only. */
function sparkTrace(lines: readonly string[]): Parsed<ForeignTrace> {
  const spans: Span[] = [];
  const trips: number[] = [];
  const losses: number[] = [];
  for (const [index, line] of lines.entries()) {
    if (line === '') continue;
    const read = /^(\d+(?:\.\d+)?)\s*([kMG])bps(?:\s+(\d+(?:\.\d+)?)ms)?(?:\s+(\d+(?:\.\d+)?))?$/i.exec(line);
    if (!read) return malformed(`line ${index + 1}: '${line.slice(0, 40)}' is not a capacity, a round trip and a loss`);
    const scale = { k: 1e3, m: 1e6, g: 1e9 }[read[2]!.toLowerCase() as 'k' | 'm' | 'g'];
    spans.push({ ms: SPARK_STEP_MS, rate: Number(read[1]) * scale });
    if (read[3] !== undefined) trips.push(Number(read[3]));
    if (read[4] !== undefined) losses.push(Number(read[4]));
  }
  if (losses.some((loss) => loss > 1)) return malformed('a loss is above 1; expected shares such as 0.02');
  const mean = (of: readonly number[]) => of.reduce((sum, each) => sum + each, 0) / of.length;
  const loss = losses.length > 0 ? ` loss=${Number((100 * mean(losses)).toPrecision(4))}%` : '';
  const shortest = trips.reduce((least, each) => Math.min(least, each), Number.POSITIVE_INFINITY);
  const delay = trips.length > 0 ? ` delay=${Math.round(shortest * 500)}us` : '';
  const facts: [string, string][] = [
    ['duration', `${(spans.length * SPARK_STEP_MS) / 1_000} s, a line for each ${SPARK_STEP_MS} ms`],
    ['mean capacity', megabits(meanRate(spans))],
  ];
  if (trips.length > 0)
    facts.push(['round trip', `${shortest} … ${trips.reduce((most, each) => Math.max(most, each))} ms`]);
  if (losses.length > 0) facts.push(['mean loss', `${Number((100 * mean(losses)).toPrecision(4))} %`]);
  const untold = [
    'which packets are lost: the mean loss is used',
    'how the round trip splits, and which part of it is queueing: half of the shortest is used',
    ...(trips.length === 0 ? ['delay and loss: this one has the capacity only'] : []),
  ];
  const opportunities = opportunitiesOf(spans);
  if (!opportunities.ok) return opportunities;
  const capacity = opportunities.value;
  return parsed({ format: 'sparkrtc', line: `trace=FILE${loss}${delay}`, capacity, facts, untold });
}

/** CellReplay's packet trains: time (ms), base delay (ms), then the times at which the packets of a short train leave. */
function cellReplayTrace(lines: readonly string[]): Parsed<ForeignTrace> {
  const delays: number[] = [];
  let [last, trains] = [0, 0];
  for (const [index, line] of lines.entries()) {
    if (line === '') continue;
    const numbers = /^\d+(\s+\d+)+$/.test(line) ? line.split(/\s+/).map(Number) : [];
    if (numbers.length < 2)
      return malformed(`line ${index + 1}: '${line.slice(0, 40)}' is not a time and a base delay in ms`);
    if (numbers[0]! < last) return malformed(`line ${index + 1}: times must not decrease`);
    last = numbers[0]!;
    delays.push(numbers[1]!);
    trains++;
  }
  if (trains < 3) return malformed('a CellReplay trace has at least three lines');
  delays.sort((one, other) => one - other);
  const at = (share: number) => delays[Math.floor(share * (delays.length - 1))]!;
  const shares = [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1];
  const quantiles = shares.map((share) => `${at(share) - at(0)}ms@${100 * share}%`).join('/');
  const facts = [
    ['duration', `${last / 1_000} s, ${trains} trains`],
    ['base delay', `${at(0)} … ${at(1)} ms, median ${at(0.5)} ms`],
  ] as const;
  const untold = [
    'losses',
    'the capacity under load: it is in the heavy trace beside it, which is read as Mahimahi (trace=)',
    'what short trains meet: a link has one capacity, so the light opportunities are not used',
  ];
  const line = `delay=${at(0)}ms quantiles=${quantiles} order=kept`;
  return parsed({ format: 'CellReplay', line, capacity: undefined, facts, untold });
}

/** ERRANT's profiles.csv: rates (kb/s) and round trip (mean and deviation, ms) by operator, country, RAT and quality. */
function errantProfiles(lines: readonly string[], direction: 'down' | 'up'): Parsed<ForeignTrace> {
  const names = lines[0]!.split(',');
  const column = (name: string) => names.indexOf(name);
  const columns = [`${direction}load_kbps`, 'latency_ms_avg', 'latency_ms_stdev'];
  const missing = columns.find((name) => column(name) < 0);
  if (missing !== undefined) return malformed(`line 1: the column ${missing} is missing`);
  const facts: [string, string][] = [];
  let line = '';
  for (const [index, text] of lines.entries()) {
    if (index === 0 || text === '') continue;
    const cells = text.split(',');
    const [rate, mean, deviation] = columns.map((name) => Number(cells[column(name)])) as [number, number, number];
    if (!(rate > 0 && mean >= 0 && deviation >= 0)) return malformed(`line ${index + 1}: expected rates and times`);
    // A round trip of two equal, independent ways: half the mean, and 1/√2 of the deviation, each.
    const link = `rate=${Math.round(rate)}kbit delay=${(mean / 2).toFixed(1)}ms jitter=${(deviation / Math.SQRT2).toFixed(1)}ms dist=normal order=kept`;
    facts.push([cells.slice(0, 4).join(' '), link]);
    line ||= link;
  }
  if (facts.length === 0) return malformed('it has no profiles');
  const untold = [
    'losses',
    'changes over time',
    'how the round trip splits: both ways are taken as equal',
    'the queue',
  ];
  return parsed({ format: 'ERRANT', line, capacity: undefined, facts, untold });
}

/** Bounds of a capacity that is written as a file: a line for each packet. */
const OPPORTUNITIES_MAX = 20_000_000;
const DURATION_MS_MAX = 86_400_000;

/** Capacity as opportunities of 1504 bytes, one line each, in Mahimahi's format. */
function opportunitiesOf(spans: readonly Span[]): Parsed<string> {
  const duration = spans.reduce((sum, { ms }) => sum + ms, 0);
  const count = (meanRate(spans) * duration) / 8_000 / BYTES_PER_OPPORTUNITY;
  if (duration > DURATION_MS_MAX) return malformed('it is longer than a day');
  if (!(count <= OPPORTUNITIES_MAX)) return malformed(`its capacity is more than ${OPPORTUNITIES_MAX} packets`);
  if (count < 1) return malformed('its capacity is below one packet for the whole trace');
  const times: number[] = [];
  let [at, credit] = [0, 0];
  for (const { ms, rate } of spans) {
    for (let step = 1; step <= ms; step++) {
      credit += rate / 8_000;
      for (; credit >= BYTES_PER_OPPORTUNITY; credit -= BYTES_PER_OPPORTUNITY) times.push(at + step);
    }
    at += ms;
  }
  return parsed(`${times.join('\n')}\n`);
}

function meanRate(spans: readonly Span[]): number {
  const total = spans.reduce((sum, { ms }) => sum + ms, 0);
  return spans.reduce((sum, { ms, rate }) => sum + ms * rate, 0) / total;
}

const megabits = (rate: number): string => `${Number((rate / 1e6).toPrecision(4))} Mb/s`;
